package luabind_test

import "testing"

func TestAddresses(t *testing.T) {
	for expr, want := range map[string]string{
		`tostring(cidr("192.0.2.7/24"))`:                                        "192.0.2.0/24",
		`cidr("192.0.2.0/24"):contains("192.0.2.255")`:                          "true",
		`cidr("192.0.2.0/24"):contains("192.0.3.0")`:                            "false",
		`cidr("192.0.2.0/24"):contains("2001:db8::1")`:                          "false",
		`cidr("2001:db8::/32"):contains("2001:db8:ffff::1")`:                    "true",
		`cidr("192.0.2.1"):contains("192.0.2.1")`:                               "true",
		`cidr("0.0.0.0/0"):contains("203.0.113.9")`:                             "true",
		`cidr("192.0.2.7/24"):address() .. " " .. cidr("2001:db8::/32"):bits()`: "192.0.2.0 32",
		`cidr("192.0.2.7/24") == cidr("192.0.2.0/24")`:                          "true",
		`tohex(aton("192.0.2.1"))`:                                              "c0000201",
		`tohex(aton("2001:db8::1"))`:                                            "20010db8000000000000000000000001",
		`ntoa(hex"c0000201") .. " " .. ntoa(aton("2001:DB8:0::1"))`:             "192.0.2.1 2001:db8::1",
		`select(2, aton("192.0.2"))`:                                            `"192.0.2" is no address`,
		`select(2, ntoa("abc"))`:                                                "an address has 4 or 16 bytes, not 3",
		`seqdiff(5, 3)`:                                                         "2",
		`seqdiff(3, 5)`:                                                         "-2",
		`seqdiff(0, 2^32 - 1)`:                                                  "1",
		`seqdiff(2^32 - 1, 0)`:                                                  "-1",
		`seqdiff(2^31, 0)`:                                                      "-2147483648",
		`seqdiff(2^32 + 7, 7)`:                                                  "0",
		`cidr("192.0.2.0/33")`:                                                  `cidr: "192.0.2.0/33": the prefix of an IPv4 network has 0 to 32 bits, not "33"`,
		`cidr(7)`:                                                               `cidr: want a string such as "192.0.2.0/24", got the number 7`,
		`cidr("192.0.2.0/24"):contains("x")`:                                    `contains: "x" is no address: write one such as "192.0.2.1" or "2001:db8::1"`,
		`cidr("192.0.2.0/24").contains("192.0.2.1")`:                            `want a network, got the string "192.0.2.1": call it with a colon, as in net:contains(a)`,
		`cidr("192.0.2.0/24"):has("192.0.2.1")`:                                 `network has no "has"`,
		`aton(1)`:                                                               `aton: want an address as text, got the number 1`,
		`seqdiff(1)`:                                                            `seqdiff: want a number 0..4294967295, got nil`,
	} {
		if got := evaluate(t, expr); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
}
