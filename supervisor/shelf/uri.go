package shelf

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"ringmaster/proto/artifact"
)

// Scheme begins the name of everything that a client can read.
const Scheme = "ringmaster://"

// The two folders, as the first part of a file's URI names them.
const (
	recordingsHost = "recordings"
	capturesHost   = "captures"
)

// Report is the ending of a report.
const Report = ".html"

// kinds are the files that may be read, by their endings, with what they are
// in MIME's words; text says that they are that.
var kinds = [...]struct {
	ending, mime string
	text         bool
}{
	{artifact.WAV, "audio/wav", false},
	{artifact.Meta, "application/json", true},
	{artifact.PCAP, "application/vnd.tcpdump.pcap", false},
	{".pcapng", "application/x-pcapng", false},
	{Report, "text/html", true},
}

// Evidence are the roots below which calls leave their files.
type Evidence struct{ Recordings, Captures string }

func (e Evidence) root(host string) (folder string, ok bool) {
	switch host {
	case recordingsHost:
		return e.Recordings, e.Recordings != ""
	case capturesHost:
		return e.Captures, e.Captures != ""
	}
	return "", false
}

// URI is the name by which a client can read the file at a path: its place
// below one of the roots, as ringmaster://recordings/a/call_0_….wav. It is not
// ok for other files. The file need not be there.
func (e Evidence) URI(file string) (uri string, ok bool) {
	if mimeOf(file) == "" {
		return "", false
	}
	for _, host := range []string{recordingsHost, capturesHost} {
		root, ok := e.root(host)
		if !ok {
			continue
		}
		if name, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(name) {
			return uriOf(host, filepath.ToSlash(name)), true
		}
	}
	return "", false
}

func uriOf(host, name string) string {
	return Scheme + host + (&url.URL{Path: "/" + name}).EscapedPath()
}

func mimeOf(name string) string {
	for _, k := range kinds {
		if strings.HasSuffix(name, k.ending) {
			return k.mime
		}
	}
	return ""
}

func isText(mime string) bool {
	for _, k := range kinds {
		if k.mime == mime {
			return k.text
		}
	}
	return false
}

var errURI = errors.New("it is not a name that the server gives: resources/list has those, and results name the files they tell of")

// longestURI is more than any file's name needs.
const longestURI = 4096

// parse finds the root and the name below it that a URI stands for. Each part
// is decoded once, and may not be what leads elsewhere then.
func (e Evidence) parse(uri string) (root, name string, query url.Values, err error) {
	u, err := url.Parse(uri)
	if err != nil || len(uri) > longestURI || !strings.HasPrefix(uri, Scheme) || u.User != nil || u.Fragment != "" {
		return "", "", nil, errURI
	}
	root, ok := e.root(u.Host)
	parts := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	for i, part := range parts {
		if parts[i], err = url.PathUnescape(part); err != nil || !isName(parts[i]) {
			return "", "", nil, errURI
		}
	}
	name = path.Join(parts...)
	if !ok || mimeOf(name) == "" || !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", "", nil, errURI
	}
	if query, err = url.ParseQuery(u.RawQuery); err != nil {
		return "", "", nil, errURI
	}
	for key := range query {
		if !slices.Contains([]string{"offset", "length"}, key) {
			return "", "", nil, fmt.Errorf("it takes offset and length, in bytes, and nothing else")
		}
	}
	return root, filepath.FromSlash(name), query, nil
}

// isName says whether a part of a path is the name of a file or folder, and
// nothing that means another.
func isName(part string) bool {
	return part != "" && part != "." && part != ".." && !strings.ContainsFunc(part, func(r rune) bool {
		return r == '/' || r == '\\' || r == unicode.ReplacementChar || unicode.IsControl(r)
	})
}
