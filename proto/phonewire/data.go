package phonewire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// dataToJSON writes an event's data so that dataFromJSON gives back the same
// types: a float64 always shows a fraction or an exponent.
func dataToJSON(data map[string]any) ([]byte, error) {
	if data == nil {
		return nil, nil
	}
	out, err := json.Marshal(markFloats(data))
	if err != nil {
		return nil, fmt.Errorf("event data holds what JSON does not: %w", err)
	}
	return out, nil
}

// markFloats replaces each float64 by its text. JSON has no NaN and no
// infinity: they become null, rather than costing the whole event.
func markFloats(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return json.Number(s)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = markFloats(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = markFloats(value)
		}
		return out
	default:
		return v
	}
}

func dataFromJSON(raw []byte) (map[string]any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var data map[string]any
	if err := d.Decode(&data); err != nil {
		return nil, fmt.Errorf("event data is not a JSON object: %w", err)
	}
	for key, value := range data {
		data[key] = typeNumbers(value)
	}
	return data, nil
}

// typeNumbers replaces each number's text by an int64 or a float64, in place.
func typeNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i
		}
		f, _ := v.Float64() // out of range gives an infinity, the nearest there is
		return f
	case map[string]any:
		for key, value := range v {
			v[key] = typeNumbers(value)
		}
		return v
	case []any:
		for i, value := range v {
			v[i] = typeNumbers(value)
		}
		return v
	default:
		return v
	}
}
