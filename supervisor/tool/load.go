package tool

import (
	"context"
	"strings"

	"ringmaster/config"
	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
)

func loadEntries() []entry {
	return []entry{
		define(entry{name: "load_phones", title: "Load phones from a profile",
			description: "Start the phones of a YAML profile, in parallel. The file is checked before anything is touched. Without merge the phones that are there now are dropped first.",
			hints:       Hints{Destructive: true, OpenWorld: true}}, loadPhones),
	}
}

type loadArguments struct {
	Path  Path `json:"path" default:"" doc:"the profile; left out: the server's own"`
	Merge bool `json:"merge" default:"false" doc:"true keeps the phones that the profile does not name"`
}

type loadResult struct {
	Path    Path        `json:"path"`
	Mode    string      `json:"mode"`
	Dropped []phone.ID  `json:"dropped"`
	Added   []loadedRow `json:"added" cut:"ask list_phones or get_phone"`
	Errors  []loadError `json:"errors"`
	Warning string      `json:"warning,omitempty"`
}

func (r loadResult) status() string {
	if len(r.Errors) > 0 {
		return "partial"
	}
	return "ok"
}

// loadedRow is what add_phone answers.
type loadedRow struct {
	Status string `json:"status"`
	addResult
}

type loadError struct {
	PhoneID phone.ID `json:"phone_id"`
	Error   string   `json:"error"`
}

func loadPhones(ctx context.Context, c *call, a loadArguments) (loadResult, error) {
	path, under := string(a.Path), c.set.o.FilesUnder
	if path == "" {
		path, under = c.set.o.Profile, "" // the user's own word
	} else if err := c.set.confined(path); err != nil {
		return loadResult{}, err
	}
	profile, err := config.Load(path, config.Options{Codecs: c.set.o.Codecs(ctx), Getenv: c.set.o.Getenv, CheckID: c.set.CheckPhoneID, Under: under})
	if err != nil {
		return loadResult{}, err
	}
	c.mark("")
	return c.set.loaded(path, a.Merge, profile, c.set.o.Phones.Load(ctx, profile.Phones, a.Merge)), nil
}

func (s *Set) loaded(path string, merge bool, profile config.Profile, l fleet.LoadResult) loadResult {
	result := loadResult{
		Path: Path(path), Mode: "replace", Dropped: []phone.ID{}, Added: []loadedRow{}, Errors: []loadError{},
		Warning: s.turned(strings.Join(profile.Warnings, "\n")),
	}
	if merge {
		result.Mode = "merge"
	} else {
		result.Dropped = append(result.Dropped, l.Dropped...)
	}
	for _, st := range l.Added {
		result.Added = append(result.Added, loadedRow{Status: "ok", addResult: s.added(st)})
	}
	for _, f := range l.Failed {
		result.Errors = append(result.Errors, loadError{PhoneID: f.PhoneID, Error: clean(s.turned(sentence(f.Err)), errorBound)})
	}
	return result
}
