package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// scalar decodes text, numbers and booleans.
func scalar(v any, dst reflect.Value, tag reflect.StructTag) error {
	switch dst.Kind() {
	case reflect.String:
		s, ok := v.(string)
		if !ok {
			hint := ""
			if words := strings.Fields(tag.Get("oneof")); len(words) > 0 {
				hint = "it takes " + alternatives(words)
			} else if s := bareText(v); s != "" {
				hint = fmt.Sprintf("did you mean %q?", s)
			}
			return wrong(hint, "wants text, not %s", describe(v))
		}
		if strings.ContainsRune(s, 0) {
			return wrong("", "holds a NUL character")
		}
		dst.SetString(s)
	case reflect.Bool:
		b, ok := v.(bool)
		if !ok {
			hint := ""
			if meant := meansBool(fmt.Sprint(v)); meant != "" {
				hint = fmt.Sprintf("did you mean %s?", meant)
			}
			return wrong(hint, "wants true or false, not %s", describe(v))
		}
		dst.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, ok := v.(int64)
		if !ok {
			return wrong(meansNumber(v), "wants a whole number, not %s", describe(v))
		}
		if dst.OverflowInt(n) {
			return wrong("", "%d is too large", n)
		}
		dst.SetInt(n)
	case reflect.Float64:
		switch n := v.(type) {
		case float64:
			dst.SetFloat(n)
		case int64:
			dst.SetFloat(float64(n))
		default:
			return wrong(meansNumber(v), "wants a number, not %s", describe(v))
		}
	}
	return nil
}

// bounds checks a value against the tags of its field.
func bounds(dst reflect.Value, tag reflect.StructTag) error {
	if words := strings.Fields(tag.Get("oneof")); len(words) > 0 {
		if s := dst.String(); !slices.Contains(words, s) {
			return wrong(didYouMean(s, words), "%q is not one of %s", s, strings.Join(words, ", "))
		}
	}
	lowest, highest, ok := strings.Cut(tag.Get("range"), "..")
	if !ok {
		return nil
	}
	n, hint := 0.0, ""
	if dst.CanFloat() {
		n = dst.Float()
		if highest == "1" && n > 1 && n <= 100 {
			hint = fmt.Sprintf("did you mean %g (%g%%)?", n/100, n)
		}
	} else {
		n = float64(dst.Int())
	}
	lo, _ := strconv.ParseFloat(lowest, 64)
	hi, err := strconv.ParseFloat(highest, 64)
	if err != nil {
		hi = math.Inf(1)
	}
	if n >= lo && n <= hi {
		return nil
	}
	if s, ok := dst.Interface().(Size); ok {
		return wrong(hint, "%s is too little, it takes %s or more", s, Size(lo))
	}
	if math.IsInf(hi, 1) {
		return wrong(hint, "%v is too small, it takes %s or more", dst.Interface(), lowest)
	}
	return wrong(hint, "%v is out of range, %s to %s", dst.Interface(), lowest, highest)
}

func hintOf(err error) string {
	if p, ok := err.(*problem); ok {
		return p.hint
	}
	return ""
}

// describe names a value as TOML has it.
func describe(v any) string {
	switch v := v.(type) {
	case string:
		if r := []rune(v); len(r) > 40 {
			v = string(r[:40]) + "..."
		}
		return strconv.Quote(v)
	case float64: // with its point, which is what may be wrong with it
		if s := strconv.FormatFloat(v, 'g', -1, 64); strings.ContainsAny(s, ".eaI") {
			return s
		} else {
			return s + ".0"
		}
	case int64, bool:
		return fmt.Sprint(v)
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date"
}

// bareText is what quotes around a value would make of it.
func bareText(v any) string {
	switch v.(type) {
	case int64, float64, bool:
		return fmt.Sprint(v)
	}
	return ""
}

// meansNumber suggests the number that stands in quotes, or is whole but for
// its point.
func meansNumber(v any) string {
	switch v := v.(type) {
	case string:
		s := strings.TrimSpace(v)
		if percent, ok := strings.CutSuffix(s, "%"); ok {
			if f, err := strconv.ParseFloat(strings.TrimSpace(percent), 64); err == nil {
				return fmt.Sprintf("did you mean %g?", f/100)
			}
		}
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return fmt.Sprintf("did you mean %s, without quotes?", s)
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return fmt.Sprintf("did you mean %.0f?", v)
		}
	}
	return ""
}
