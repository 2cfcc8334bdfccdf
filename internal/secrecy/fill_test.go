package secrecy_test

import (
	"reflect"
	"strings"
	"unsafe"

	"github.com/vitrine-tls/vitrine/trace"
)

// fill writes the pattern wherever a type can hold bytes, and returns how often.
func fill(v reflect.Value, depth int) (n int) {
	if depth > 5 {
		return 0
	}
	t := v.Type()
	switch v.Kind() {
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			v.Set(reflect.MakeSlice(t, len(pattern), len(pattern)))
			return fillBytes(v)
		}
		v.Set(reflect.MakeSlice(t, 1, 1))
		return fill(v.Index(0), depth+1)
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return fillBytes(v)
		}
		for i := range v.Len() {
			n += fill(v.Index(i), depth+1)
		}
	case reflect.Struct:
		return fillFields(v, depth)
	case reflect.Pointer:
		if !foreignStruct(t.Elem()) {
			v.Set(reflect.New(t.Elem()))
			return fill(v.Elem(), depth+1)
		}
	case reflect.Map:
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		n = fill(key, depth+1) + fill(value, depth+1)
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(key, value)
	case reflect.Func:
		if t.NumIn() == 0 && t.NumOut() == 1 && t.Out(0) == reflect.TypeFor[[]byte]() {
			secret := []reflect.Value{reflect.ValueOf(pattern)}
			v.Set(reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value { return secret }))
			return 1
		}
	case reflect.Interface:
		return fillInterface(v)
	}
	return n
}

// fillBytes writes the pattern, but not into what is public by its type.
func fillBytes(v reflect.Value) int {
	if v.Type() == reflect.TypeFor[trace.Hex]() {
		return 0
	}
	for i := range min(v.Len(), len(pattern)) {
		v.Index(i).SetUint(uint64(pattern[i]))
	}
	return 1
}

// fillFields fills a struct, whatever is exported. Of the structs of others only tls.Certificate is
// ours to judge.
func fillFields(v reflect.Value, depth int) (n int) {
	if foreignStruct(v.Type()) && v.Type().String() != "tls.Certificate" {
		return 0
	}
	for i := range v.NumField() {
		f := v.Field(i)
		if public[v.Type().String()+"."+v.Type().Field(i).Name] != "" {
			continue
		}
		n += fill(reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem(), depth+1)
	}
	return n
}

// edwards is a private key that is bytes, as crypto/ed25519's is.
type edwards []byte

func (edwards) Public() any { return nil }

// fillInterface puts bytes where any key may be.
func fillInterface(v reflect.Value) int {
	if v.NumMethod() == 0 {
		v.Set(reflect.ValueOf(edwards(pattern)))
		return 1
	}
	return 0
}

func foreignStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() != module &&
		!strings.HasPrefix(t.PkgPath(), module+"/")
}
