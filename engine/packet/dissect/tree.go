package dissect

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/google/gopacket"
)

// most bounds a field's text: a list of answers is one field.
const most = 400

// tree writes a header: its name, and its fields as gopacket calls them.
func tree(b *strings.Builder, l gopacket.Layer) {
	fmt.Fprintf(b, "%v\n", l.LayerType())
	v := reflect.Indirect(reflect.ValueOf(l))
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Anonymous {
			continue // Contents and Payload, the bytes, among them
		}
		text := strings.ReplaceAll(fmt.Sprintf("%v", v.Field(i).Interface()), "\n", " ")
		if raw, ok := v.Field(i).Interface().([]byte); ok {
			text = fmt.Sprintf("%x", raw)
		}
		if len(text) > most {
			text = text[:most] + "..."
		}
		fmt.Fprintf(b, "  %s = %s\n", f.Name, text)
	}
}
