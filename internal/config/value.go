package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// convert decodes a value into one of the types that a string stands for. It
// returns false if dst is none of them.
func convert(v any, dst any) (known bool, err error) {
	switch dst := dst.(type) {
	case *time.Duration:
		*dst, err = duration(v)
	case *Size:
		*dst, err = size(v)
	case *Rate:
		*dst, err = rate(v)
	case *Account:
		*dst, err = account(v)
	case *netip.Prefix:
		*dst, err = prefix(v)
	case *netip.Addr:
		*dst, err = address(v)
	case *netip.AddrPort:
		*dst, err = addrPort(v)
	case *HostPort:
		*dst, err = hostPort(v)
	case *net.HardwareAddr:
		*dst, err = mac(v)
	default:
		return false, nil
	}
	return true, err
}

// Size is a number of bytes.
type Size int64

// Units of Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// String returns the size in the largest unit that leaves it whole.
func (s Size) String() string {
	switch {
	case s != 0 && s%GiB == 0:
		return fmt.Sprintf("%dGiB", s/GiB)
	case s != 0 && s%MiB == 0:
		return fmt.Sprintf("%dMiB", s/MiB)
	case s != 0 && s%KiB == 0:
		return fmt.Sprintf("%dKiB", s/KiB)
	}
	return fmt.Sprintf("%dB", int64(s))
}

// Rate is a number of bits per second; 0 is no limit.
type Rate int64

// Account is the name or number of a user or group; empty if there is none.
type Account string

func duration(v any) (time.Duration, error) {
	const want = `a duration wants a unit, such as "40ms", "1.5s" or "2m"`
	switch n := v.(type) {
	case string:
		d, err := time.ParseDuration(strings.TrimSpace(n))
		if err != nil {
			return 0, wrong(unitHint(n, "ms", "ns", "us", "ms", "s", "m", "h"), "%q is no duration: %s", n, want)
		}
		if d < 0 {
			return 0, wrong("", "%s is negative", d)
		}
		return d, nil
	case int64:
		return 0, wrong(fmt.Sprintf(`did you mean "%dms" or "%ds"?`, n, n), "%d has no unit: %s", n, want)
	case float64: // seconds, as in Lua
		hint := ""
		if n > 0 && n < 1e6 {
			hint = fmt.Sprintf("did you mean %q?", time.Duration(math.Round(n*1e9)).String())
		}
		return 0, wrong(hint, "%g has no unit: %s", n, want)
	}
	return 0, wrong("", "wants a duration in quotes, such as \"40ms\", not %s", describe(v))
}

func size(v any) (Size, error) {
	const units = "B, KiB, MiB or GiB"
	switch n := v.(type) {
	case int64:
		return Size(n), nil
	case string:
		num, unit := splitUnit(n)
		f, err := strconv.ParseFloat(num, 64)
		factor, ok := map[string]Size{"B": 1, "KiB": KiB, "MiB": MiB, "GiB": GiB, "": 1}[unit]
		if err != nil || !ok || f < 0 {
			hint := unitHint(n, "MiB", "B", "KiB", "MiB", "GiB")
			if i := strings.IndexAny(strings.ToUpper(unit), "KMG"); i == 0 && err == nil {
				hint = fmt.Sprintf(`did you mean "%s%siB"?`, num, strings.ToUpper(unit[:1]))
			}
			return 0, wrong(hint, "%q is no size: it wants a number and %s", n, units)
		}
		if f *= float64(factor); f >= 1<<62 {
			return 0, wrong("", "%q is too large", n)
		}
		return Size(f), nil
	}
	return 0, wrong(`such as "64MiB"`, "wants a size, a number and %s, not %s", units, describe(v))
}

func rate(v any) (Rate, error) {
	const units = "bit, kbit, Mbit or Gbit (per second)"
	s, ok := v.(string)
	if !ok {
		hint := `such as "10Mbit"`
		if n, ok := v.(int64); ok {
			hint = fmt.Sprintf(`did you mean "%dkbit" or "%dMbit"?`, n, n)
		}
		return 0, wrong(hint, "wants a rate, a number and %s, not %s", units, describe(v))
	}
	if s == "" {
		return 0, nil
	}
	num, unit := splitUnit(s)
	f, err := strconv.ParseFloat(num, 64)
	unit = strings.TrimSuffix(strings.ToLower(unit), "/s")
	factor := map[string]float64{"bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}[unit]
	if err != nil || factor == 0 {
		hint := unitHint(strings.Replace(s, "bps", "bit", 1), "Mbit", "bit", "kbit", "Mbit", "Gbit")
		return 0, wrong(hint, "%q is no rate: it wants a number and %s", s, units)
	}
	f *= factor
	if f < 1 || f >= 1<<62 {
		return 0, wrong(`"" is no limit`, "%q is not a rate that can be kept", s)
	}
	return Rate(f), nil
}

func account(v any) (Account, error) {
	switch v := v.(type) {
	case string:
		if strings.ContainsAny(v, ":/ \t\n") {
			return "", wrong("", "%q is no name of a user or group", v)
		}
		return Account(v), nil
	case int64:
		if v < 0 || v >= math.MaxUint32 { // the largest means "no change" to the kernel
			return "", wrong("", "%d is no number of a user or group", v)
		}
		return Account(strconv.FormatInt(v, 10)), nil
	}
	return "", wrong("", "wants a name or a number, not %s", describe(v))
}

func mac(v any) (net.HardwareAddr, error) {
	const example = `such as "02:00:00:00:00:02"`
	s, ok := v.(string)
	if !ok {
		return nil, wrong(example, "wants a MAC address, not %s", describe(v))
	}
	if s == "" {
		return nil, nil
	}
	a, err := net.ParseMAC(s)
	switch {
	case err != nil || len(a) != 6:
		return nil, wrong(example, "%q is no MAC address", s)
	case a[0]&1 != 0: // the group bit
		a[0] = a[0]&^1 | 2
		return nil, wrong(fmt.Sprintf("did you mean %q?", a), "%s is a group address, no station can have it", s)
	case a.String() == "00:00:00:00:00:00":
		return nil, wrong(example, "%s is no station's address", s)
	}
	return a, nil
}

// splitUnit cuts "64 MiB" into its number and its unit.
func splitUnit(s string) (num, unit string) {
	s = strings.TrimSpace(s)
	i := strings.LastIndexAny(s, "0123456789.") + 1
	return s[:i], strings.TrimSpace(s[i:])
}

// unitHint suggests the number with the unit nearest to the one written, or
// with usual if there is none.
func unitHint(s, usual string, units ...string) string {
	num, unit := splitUnit(s)
	if f, err := strconv.ParseFloat(num, 64); err != nil || f < 0 {
		return ""
	}
	if unit != "" {
		usual = Nearest(unit, units)
		for _, u := range units { // msec, seconds
			if usual == "" && strings.HasPrefix(strings.ToLower(unit), u) {
				usual = u
			}
		}
	}
	if usual == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", num+usual)
}
