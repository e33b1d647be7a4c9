package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"

	"gopkg.in/yaml.v3"
)

// maxProfile bounds a profile's size in bytes; 10,000 phones fit.
const maxProfile = 4 << 20

// Options is what a profile is checked against.
type Options struct {
	Codecs []string                         // built in; empty takes any name
	Getenv func(name string) (string, bool) // for passwords written as ${NAME}
	// CheckID refuses a phone_id of the right form; nil refuses none.
	CheckID func(phone.ID) error
	// Under, when it is set, is the folder that the profile must lie below.
	Under string
}

// Profile is what a file asks for: at least one phone, all of them valid.
type Profile struct {
	Phones   []phone.Settings
	Warnings []string // a sentence each, naming file, line and column
}

// Load reads a profile from a regular file. An error is a ProfileErrors, or a
// sentence that names the file; no text of a file that is no profile is in it.
func Load(path string, o Options) (Profile, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Profile{}, fmt.Errorf("profile %s not found", path)
	case err != nil:
		return Profile{}, fmt.Errorf("profile %s cannot be read: %w", path, reason(err))
	case !info.Mode().IsRegular():
		return Profile{}, fmt.Errorf("profile %s is not a regular file", path)
	}
	f, err := o.open(path)
	if err != nil {
		return Profile{}, fmt.Errorf("profile %s cannot be read: %w", path, reason(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProfile+1))
	if err != nil {
		return Profile{}, fmt.Errorf("profile %s cannot be read: %w", path, reason(err))
	}
	if len(data) > maxProfile {
		return Profile{}, fmt.Errorf("profile %s is larger than %d MiB", path, maxProfile>>20)
	}
	return Parse(path, data, o)
}

func (o Options) open(path string) (*os.File, error) {
	if o.Under == "" {
		return os.Open(path)
	}
	return artifact.OpenUnder(o.Under, path)
}

// reason is an error without the path that it repeats.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Parse reads a profile; name stands for the file in its faults.
func Parse(name string, data []byte, o Options) (Profile, error) {
	p := &parser{file: name, options: o}
	root := p.document(data)
	if len(p.faults) == 0 {
		p.profile(root)
	}
	if len(p.faults) > 0 {
		return Profile{}, p.faults
	}
	return Profile{Phones: p.phones, Warnings: p.warnings}, nil
}

type parser struct {
	file     string
	options  Options
	phones   []phone.Settings
	warnings []string
	faults   ProfileErrors
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// document returns the one mapping that the file holds. What YAML finds wrong
// is told by its place alone: its sentences quote the file.
func (p *parser) document(data []byte) *yaml.Node {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		p.fault(nil, "the profile is empty: it needs a list phones:")
		return nil
	}
	if err != nil {
		at := &yaml.Node{Line: 1, Column: 1}
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			at.Line, _ = strconv.Atoi(m[1]) // 0 when there are too many digits, which fault takes for the first line
		}
		p.fault(at, "this is not YAML: check indentation, colons and quotes near this line")
		return nil
	}
	root := resolve(doc.Content[0])
	if root.Kind != yaml.MappingNode || value(root, "phones") == nil {
		if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
			p.fault(root, "the profile is empty: it needs a list phones:")
		} else {
			p.fault(root, "this is not a phone profile: it has no list phones:")
		}
		return nil
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		p.fault(root, "a profile is one YAML document: remove what follows the first")
	}
	return root
}

var topKeys = []string{"defaults", "phones"}

func (p *parser) profile(root *yaml.Node) {
	var defaults, phones *yaml.Node
	for key, v := range pairs(root) {
		switch key.Value {
		case "defaults":
			defaults = v
		case "phones":
			phones = v
		case retiredKey:
			p.retired(key)
		default:
			p.unknownKey(key, "the profile", topKeys)
		}
	}
	p.twice(root, "the profile")
	base := p.defaults(defaults)
	if phones.Kind != yaml.SequenceNode {
		if phones.Tag == "!!null" {
			p.fault(phones, "phones: the list is empty: it needs at least one phone")
			return
		}
		p.fault(phones, "phones: must be a list of phones")
		return
	}
	if len(phones.Content) == 0 {
		p.fault(phones, "phones: the list is empty: it needs at least one phone")
	}
	seen := make(map[phone.ID]int)
	for i, node := range phones.Content {
		p.entry(i, resolve(node), base, seen)
	}
}

// defaults checks the keys and values that every phone starts with, once.
func (p *parser) defaults(n *yaml.Node) *yaml.Node {
	if n == nil || n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		p.fault(n, "defaults: must be a mapping of phone keys to values")
		return nil
	}
	p.keys(n, "defaults")
	return n
}

// entry reads one phone: its own keys over the defaults.
func (p *parser) entry(i int, n, defaults *yaml.Node, seen map[phone.ID]int) {
	where := fmt.Sprintf("phones[%d]", i)
	if n.Kind != yaml.MappingNode {
		p.fault(n, "%s: must be a mapping of phone keys to values", where)
		return
	}
	if id := value(n, "phone_id"); id != nil && id.Kind == yaml.ScalarNode {
		where = fmt.Sprintf("phones[%d] (%.40s)", i, id.Value)
	}
	p.keys(n, where)
	s := phone.Settings{Transport: phone.UDP, Register: true}
	for _, k := range phoneKeys {
		v, from := value(n, k.name), where
		if v == nil && defaults != nil {
			v, from = value(defaults, k.name), "defaults"
		}
		if v == nil || v.Tag == "!!null" {
			if k.required {
				p.fault(n, "%s: %s is missing", where, k.name)
			}
			continue
		}
		if sentence := k.set(&s, v, p.options); sentence != "" {
			p.fault(v, "%s: %s", from, sentence)
		}
	}
	if first, duplicate := seen[s.PhoneID]; duplicate && s.PhoneID != "" {
		p.fault(n, "%s: duplicate phone_id: phones[%d] has it already", where, first)
	}
	seen[s.PhoneID] = i
	p.phones = append(p.phones, s)
}

const retiredKey = "recordings_dir"

func (p *parser) retired(key *yaml.Node) {
	p.warnings = append(p.warnings, fmt.Sprintf("%s:%d:%d: recordings_dir is ignored: recordings go below the server's recordings folder",
		p.file, key.Line, key.Column))
}

// keys reports the keys of a phone's mapping that mean nothing, and those that
// stand there twice.
func (p *parser) keys(n *yaml.Node, where string) {
	for key := range pairs(n) {
		if key.Value == retiredKey {
			p.retired(key)
			continue
		}
		if !isPhoneKey(key.Value) {
			p.unknownKey(key, where, phoneKeyNames())
		}
	}
	p.twice(n, where)
}

func (p *parser) twice(n *yaml.Node, where string) {
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			p.fault(key, "%s: duplicate key %q", where, short(key.Value))
		}
		seen[key.Value] = true
	}
}

func (p *parser) unknownKey(key *yaml.Node, where string, known []string) {
	if near := Nearest(key.Value, known); near != "" {
		p.fault(key, "%s: unknown key %q: did you mean %q?", where, short(key.Value), near)
		return
	}
	p.fault(key, "%s: unknown key %q: there are %s", where, short(key.Value), strings.Join(known, ", "))
}

func short(s string) string { return fmt.Sprintf("%.40s", s) }
