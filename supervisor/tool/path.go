package tool

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Path is a path in an argument or a result: the one kind of text that is
// turned from and to what the client sees (see HostPath).
type Path string

func (s *Set) outside(p Path) Path {
	for _, h := range s.o.HostPaths {
		if turned, ok := reroot(string(p), h.Inside, h.Host); ok {
			return Path(turned)
		}
	}
	return p
}

func (s *Set) inside(p Path) Path {
	for _, h := range s.o.HostPaths {
		if turned, ok := reroot(string(p), h.Host, h.Inside); ok {
			return Path(turned)
		}
	}
	return p
}

// turned is a sentence about files with their paths as the client sees them.
func (s *Set) turned(sentence string) string {
	var b strings.Builder
	for i := 0; i < len(sentence); {
		h, ok := s.rootAt(sentence, i)
		if !ok {
			b.WriteByte(sentence[i])
			i++
			continue
		}
		b.WriteString(strings.TrimRight(h.Host, "/"))
		i += len(strings.TrimRight(h.Inside, "/"))
	}
	return b.String()
}

// rootAt finds the root that a path begins with at a place of a sentence.
func (s *Set) rootAt(sentence string, i int) (HostPath, bool) {
	for _, h := range s.o.HostPaths {
		root := strings.TrimRight(h.Inside, "/")
		rest, ok := strings.CutPrefix(sentence[i:], root)
		if ok && root != "" && (i == 0 || !inName(sentence[i-1])) && (rest == "" || rest[0] == '/' || !inName(rest[0])) {
			return h, true
		}
	}
	return HostPath{}, false
}

// inName reports whether c goes on with a path rather than being beside it.
func inName(c byte) bool {
	return c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("/._-~+@%", c) >= 0
}

func reroot(path, from, to string) (string, bool) {
	rest, below := strings.CutPrefix(path, strings.TrimRight(from, "/"))
	if !below || rest != "" && rest[0] != '/' {
		return "", false
	}
	return filepath.Join(to, rest), true
}

// mapPaths turns every Path in what v points to.
func mapPaths(v any, turn func(Path) Path) { mapValue(reflect.ValueOf(v).Elem(), turn) }

func mapValue(v reflect.Value, turn func(Path) Path) {
	switch v.Kind() {
	case reflect.String:
		if p, ok := v.Interface().(Path); ok {
			v.SetString(string(turn(p)))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			mapValue(v.Elem(), turn)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			mapValue(v.Index(i), turn)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			mapValue(v.Field(i), turn)
		}
	default: // nothing else holds a path
	}
}

// linking is a result that names files elsewhere too than in its own fields of
// type Path, as the client sees them.
type linking interface{ files() []Path }

// linked are the URIs of the files and the run that a result names: resources
// that the client can read. Lists are left out: their rows have a uri each.
func (s *Set) linked(result any) []string {
	var uris []string
	link := func(file Path) {
		if uri, ok := s.evidence().URI(string(file)); ok && !slices.Contains(uris, uri) {
			uris = append(uris, uri)
		}
	}
	v := reflect.ValueOf(result).Elem()
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		switch p := v.Field(i).Interface().(type) {
		case Path:
			link(p)
		case *Path:
			if p != nil {
				link(*p)
			}
		}
	}
	switch id := fieldNamed(v, "RunID").(type) {
	case string:
		uris = append(uris, runScheme+id)
	case *string:
		if id != nil {
			uris = append(uris, runScheme+*id)
		}
	}
	if l, ok := v.Interface().(linking); ok {
		for _, file := range l.files() {
			link(s.inside(file))
		}
	}
	return uris
}

func fieldNamed(v reflect.Value, name string) any {
	if f := v.FieldByName(name); f.IsValid() {
		return f.Interface()
	}
	return nil
}

// confined checks a path that the client gave against --files-under: links
// are followed, so that none leads out.
func (s *Set) confined(path string) error {
	if s.o.FilesUnder == "" {
		return nil
	}
	root, err := filepath.EvalSymlinks(s.o.FilesUnder)
	if err != nil {
		return fmt.Errorf("the folder of --files-under cannot be read: start the server with one that can")
	}
	outside := fmt.Errorf("%s is not a file under %s, and the server takes no others", clean(path, nameBound), s.o.FilesUnder)
	if path, err = filepath.Abs(path); err != nil {
		return outside
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return outside
	}
	if below, err := filepath.Rel(root, target); err != nil || !filepath.IsLocal(below) {
		return outside
	}
	return nil
}
