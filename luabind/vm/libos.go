package vm

import (
	"fmt"
	"math"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// osLib is what is left of os: the engine's clock.
func (s *State) osLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{"clock": s.osClock, "date": s.osDate, "time": s.osTime}
}

func (s *State) osClock(L *lua.LState) int {
	L.Push(lua.LNumber(s.opt.Now().Sub(s.start).Seconds()))
	return 1
}

func (s *State) osTime(L *lua.LState) int {
	if L.Get(1) == lua.LNil {
		L.Push(lua.LNumber(s.opt.Now().Unix()))
		return 1
	}
	t := checkTable(L, 1)
	field := func(key string, def int) int {
		f, ok := math.NaN(), false
		switch v := t.RawGetString(key).(type) {
		case lua.LNumber:
			f, ok = float64(v), true
		case lua.LString:
			f, ok = parseNumber(string(v))
		}
		if !ok {
			if def < 0 {
				raise(L, "field '%s' missing in date table", key)
			}
			return def
		}
		return max(-1<<31, min(1<<31-1, toInt(f)))
	}
	sec, minute, hour := field("sec", 0), field("min", 0), field("hour", 12)
	day, month, year := field("day", -1), field("month", -1), field("year", -1)
	at := time.Date(year, time.Month(month), day, hour, minute, sec, 0, s.opt.Now().Location())
	L.Push(lua.LNumber(at.Unix()))
	return 1
}

func (s *State) osDate(L *lua.LState) int {
	format := optString(L, 1, "%c")
	at := s.opt.Now()
	if L.Get(2) != lua.LNil {
		sec := max(-1<<40, min(1<<40, toInt(checkNumber(L, 2))))
		at = time.Unix(int64(sec), 0).In(at.Location())
	}
	if rest, ok := strings.CutPrefix(format, "!"); ok {
		format, at = rest, at.UTC()
	}
	if strings.HasPrefix(format, "*t") {
		L.Push(dateTable(L, at))
		return 1
	}
	s.limitString(L, 16*len(format))
	pushString(L, strftime(at, format))
	return 1
}

func dateTable(L *lua.LState, at time.Time) *lua.LTable {
	t := L.CreateTable(0, 9)
	for _, f := range []struct {
		key string
		v   int
	}{
		{"sec", at.Second()}, {"min", at.Minute()}, {"hour", at.Hour()}, {"day", at.Day()}, {"month", int(at.Month())},
		{"year", at.Year()}, {"wday", int(at.Weekday()) + 1}, {"yday", at.YearDay()},
	} {
		t.RawSetString(f.key, lua.LNumber(f.v))
	}
	t.RawSetString("isdst", lua.LBool(at.IsDST()))
	return t
}

// layouts are the conversions of C's strftime in the C locale that Go's Format has.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan", 'c': "Mon Jan _2 15:04:05 2006",
	'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'm': "01", 'M': "04",
	'p': "PM", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05",
	'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

func strftime(t time.Time, format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '%' || i+1 == len(format) {
			b.WriteByte(c)
			continue
		}
		i++
		switch c = format[i]; c {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'w':
			fmt.Fprintf(&b, "%d", int(t.Weekday()))
		case 'u':
			fmt.Fprintf(&b, "%d", (int(t.Weekday())+6)%7+1)
		case 's':
			fmt.Fprintf(&b, "%d", t.Unix())
		case 'C':
			fmt.Fprintf(&b, "%02d", t.Year()/100)
		case 'U':
			fmt.Fprintf(&b, "%02d", (t.YearDay()+6-int(t.Weekday()))/7)
		case 'W':
			fmt.Fprintf(&b, "%02d", (t.YearDay()+6-(int(t.Weekday())+6)%7)/7)
		case 'V':
			_, w := t.ISOWeek()
			fmt.Fprintf(&b, "%02d", w)
		case 'G':
			y, _ := t.ISOWeek()
			fmt.Fprintf(&b, "%d", y)
		default:
			if l, ok := layouts[c]; ok {
				b.WriteString(t.Format(l))
			} else {
				b.WriteByte('%')
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}
