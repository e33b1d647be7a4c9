package console

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ringmaster/proto/phone"
)

// split cuts a line into words, at least one. Quotes of either kind hold a word
// together; a backslash takes the next character as it is, not so in single
// quotes.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	begun, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, begun = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if begun {
				words = append(words, word.String())
				word.Reset()
				begun = false
			}
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote or backslash at the end of the line closes nothing: complete it")
	}
	if begun {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("there is no command on the line")
	}
	return words, nil
}

// kind is what a parameter takes.
type kind int

const (
	text    kind = iota
	number       // an integer
	flag         // true or false
	list         // every word that is left, or a,b,c after its name
	body         // the rest of the line's words, with a space between each
	headers      // Name=value words, any number
)

// param is one parameter of a command. Values stand in the order of the
// parameters, or anywhere as name=value.
type param struct {
	name     string
	kind     kind
	required bool
}

// args are the values that a line gives to a command.
type args struct {
	values  map[string]string
	lists   map[string][]string
	headers map[string]string
}

var named = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]*)=(.*)$`)

// fit gives each word to the parameter that it is meant for.
func (c command) fit(words []string) (args, error) {
	a := args{values: map[string]string{}, lists: map[string][]string{}, headers: map[string]string{}}
	var plain []string
	for _, w := range words {
		m := named.FindStringSubmatch(w)
		if m == nil {
			plain = append(plain, w)
			continue
		}
		p, known := c.param(m[1])
		switch {
		case known && p.kind == list:
			a.lists[p.name] = strings.Split(m[2], ",")
		case known:
			a.values[p.name] = m[2]
		case c.takes(headers):
			a.headers[m[1]] = m[2]
		default:
			plain = append(plain, w)
		}
	}
	if err := c.place(&a, plain); err != nil {
		return args{}, err
	}
	return a, c.check(a)
}

// place fills the parameters that no name was given for, in their order.
func (c command) place(a *args, plain []string) error {
	for _, p := range c.params {
		if len(plain) == 0 {
			return nil
		}
		if _, given := a.values[p.name]; given || a.lists[p.name] != nil {
			continue
		}
		switch p.kind {
		case list:
			a.lists[p.name], plain = plain, nil
		case body:
			a.values[p.name], plain = strings.Join(plain, " "), nil
		case headers:
		default:
			a.values[p.name], plain = plain[0], plain[1:]
		}
	}
	if len(plain) > 0 {
		return fmt.Errorf("%s does not take %q: it is used as %s", c.name, plain[0], c.usage())
	}
	return nil
}

func (c command) check(a args) error {
	for _, p := range c.params {
		v, given := a.values[p.name]
		if !given {
			if p.required && a.lists[p.name] == nil {
				return fmt.Errorf("%s needs %s: it is used as %s", c.name, p.name, c.usage())
			}
			continue
		}
		var err error
		switch p.kind {
		case number:
			if _, err = strconv.ParseInt(v, 10, 64); err != nil {
				err = fmt.Errorf("%s takes a number, not %q", p.name, v)
			}
		case flag:
			if v != "true" && v != "false" {
				err = fmt.Errorf("%s takes true or false, not %q", p.name, v)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c command) param(name string) (param, bool) {
	for _, p := range c.params {
		if p.name == name && p.kind != headers {
			return p, true
		}
	}
	return param{}, false
}

func (c command) takes(k kind) bool {
	for _, p := range c.params {
		if p.kind == k {
			return true
		}
	}
	return false
}

// usage is the command with its parameters; those in brackets may be left out.
func (c command) usage() string {
	var b strings.Builder
	b.WriteString(c.name)
	for _, p := range c.params {
		shown := p.name
		switch p.kind {
		case list:
			shown += "…"
		case headers:
			shown = "Header=value…"
		}
		if !p.required {
			shown = "[" + shown + "]"
		}
		b.WriteString(" " + shown)
	}
	return b.String()
}

// callID is nil when the line named none.
func (a args) callID(name string) *phone.CallID {
	v, given := a.values[name]
	if !given {
		return nil
	}
	n, _ := strconv.ParseInt(v, 10, 64) // checked by fit
	id := phone.CallID(n)
	return &id
}

func (a args) number(name string, otherwise int) int {
	v, given := a.values[name]
	if !given {
		return otherwise
	}
	n, _ := strconv.Atoi(v) // checked by fit
	return n
}

// flag is nil when the line named none.
func (a args) flag(name string) *bool {
	v, given := a.values[name]
	if !given {
		return nil
	}
	is := v == "true"
	return &is
}
