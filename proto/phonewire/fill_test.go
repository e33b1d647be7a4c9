package phonewire

import (
	"math"
	"math/rand/v2"
	"reflect"
	"time"

	"ringmaster/proto/phone"
)

// filler sets every field of a value that reflection can reach.
type filler struct {
	rnd *rand.Rand
	// full leaves nothing at its zero value; otherwise about half is.
	full bool
	// str makes each string.
	str func() string
}

func (f filler) skip() bool { return !f.full && f.rnd.IntN(2) == 0 }

func (f filler) fill(v reflect.Value) {
	if f.fillKnown(v) {
		return
	}
	if f.skip() {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Codecs" && f.fillCodecs(v.Field(i)) {
				continue
			}
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+f.rnd.IntN(3), 3))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map: // map[string]string
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(f.str()), reflect.ValueOf(f.str()))
	case reflect.String:
		v.SetString(f.str())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(f.rnd.Int64() - math.MaxInt64/2 | 1)
	case reflect.Float64:
		v.SetFloat(f.rnd.NormFloat64())
	case reflect.Uint32:
		v.SetUint(uint64(f.rnd.Uint32() | 1))
	case reflect.Uint64:
		v.SetUint(f.rnd.Uint64() | 1)
	case reflect.Uint8:
		v.SetUint(uint64(f.rnd.IntN(256)))
	default:
		panic("fill does not know " + v.Type().String())
	}
}

// fillKnown sets the types whose fields are hidden or whose values are special.
func (f filler) fillKnown(v reflect.Value) bool {
	var value any
	switch v.Interface().(type) {
	case phone.Secret:
		value = phone.NewSecret(f.str())
	case time.Time:
		value = time.Unix(f.rnd.Int64N(4e9), f.rnd.Int64N(1e9)).UTC()
	case time.Duration:
		value = time.Duration(f.rnd.Int64N(1e18))
	case map[string]any:
		value = f.data(3)
	default:
		return false
	}
	if !f.skip() {
		v.Set(reflect.ValueOf(value))
	}
	return true
}

// fillCodecs makes lists that may be nil, empty or not.
func (f filler) fillCodecs(v reflect.Value) bool {
	list, ok := map[int][]string{0: nil, 1: {}, 2: {f.str(), f.str()}}[f.rnd.IntN(3)]
	if f.full {
		list = []string{f.str()}
	}
	switch {
	case v.Kind() == reflect.Slice:
		v.Set(reflect.ValueOf(list))
	case !f.skip():
		v.Set(reflect.ValueOf(&list))
	}
	return ok
}

// data makes an event's data of every kind that JSON holds.
func (f filler) data(depth int) map[string]any {
	m := map[string]any{
		"string": f.str(), "bool": true, "nil": nil,
		"int": f.rnd.Int64(), "max": int64(math.MaxInt64), "min": int64(math.MinInt64),
		"float": f.rnd.NormFloat64(), "whole": float64(f.rnd.IntN(100)), "huge": 1e300, "tiny": 5e-324, "2^63": math.Pow(2, 63),
		"empty": map[string]any{}, "list": []any{int64(1), 1.0, "<&>", nil, []any{}},
	}
	if depth > 0 {
		m["deeper"] = f.data(depth - 1)
	}
	return m
}
