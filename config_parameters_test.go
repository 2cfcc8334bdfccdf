package vitrine

import (
	"reflect"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// A Config keeps its Parameters: after any change of a field, or of an element of a list, they are
// those of a Config that was never used.
func TestParametersFollowTheConfig(t *testing.T) {
	given := map[string][2]any{ // two values of what not every value is accepted for
		"MinVersion":             {uint16(VersionTLS13), uint16(VersionTLS11)},
		"MaxVersion":             {uint16(VersionTLS12), uint16(VersionTLS13)},
		"Policy":                 {Legacy, Compatible},
		"MaxFragmentLength":      {512, 1024},
		"CipherSuites":           {[]uint16{0xc02f}, []uint16{}},
		"CipherSuites13":         {[]uint16{0x1301}, []uint16{}},
		"CurvePreferences":       {[]CurveID{X25519, CurveP256}, []CurveID{}},
		"KeyShares":              {[]CurveID{X25519}, []CurveID{}},
		"SignatureSchemes":       {[]SignatureScheme{0x0804}, []SignatureScheme{0x0403}},
		"CertificateCompression": {[]iana.CertificateCompressionAlgorithm{iana.Zlib}, nil},
	}
	used := 0
	for field := range reflect.TypeFor[Config]().Fields() {
		if !field.IsExported() {
			continue
		}
		c := &Config{}
		if _, err := c.parameters(); err != nil {
			t.Fatal(err)
		}
		first := c.made.Load()
		f := reflect.ValueOf(c).Elem().FieldByIndex(field.Index)
		for i := range 2 {
			if values, ok := given[field.Name]; ok {
				f.Set(reflect.Zero(f.Type()))
				if values[i] != nil {
					f.Set(reflect.ValueOf(values[i]))
				}
			} else if !vary(f, i) {
				continue
			}
			followed(t, c, field.Name)
		}
		if f.Kind() == reflect.Slice && f.Type().Elem().Kind() != reflect.Func && f.CanSet() {
			if values, ok := given[field.Name]; ok {
				f.Set(reflect.ValueOf(values[0]))
			}
			followed(t, c, field.Name)
			if f.Len() > 0 && f.Index(0).CanUint() {
				f.Index(0).SetUint(f.Index(0).Uint() ^ 1)
				followed(t, c, field.Name+", one element of it")
			}
		}
		if c.made.Load() != first {
			used++
		}
	}
	if used < len(given) {
		t.Errorf("%d fields changed the parameters, expected at least %d", used, len(given))
	}
}

// vary gives a value to a field of a simple type, and reports whether it did.
func vary(f reflect.Value, i int) bool {
	switch {
	case f.Kind() == reflect.Bool:
		f.SetBool(i == 0)
	case f.CanInt():
		f.SetInt(int64(64 + i))
	case f.CanUint():
		f.SetUint(uint64(1 + i))
	case f.Kind() == reflect.String:
		f.SetString([]string{"a", "b"}[i])
	case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.String:
		f.Set(reflect.ValueOf([]string{[]string{"a", "b"}[i]}).Convert(f.Type()))
	case f.Kind() == reflect.Slice:
		f.Set(reflect.MakeSlice(f.Type(), 1+i, 1+i))
	case f.Kind() == reflect.Func:
		f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value { return nil }))
	default:
		return false
	}
	return true
}

// followed checks a Config's parameters against those of its clone, which has none yet.
func followed(t *testing.T, c *Config, what string) {
	t.Helper()
	got, err := c.parameters()
	want, wantErr := c.Clone().parameters()
	if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(got, want) {
		t.Errorf("%s changed: the parameters are %+v, %v, expected %+v, %v", what, got, err, want,
			wantErr)
	}
}
