package flow_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// The kernel's own NAT, set up without nft(8): one table with one chain of one rule.
// Numbers are those of linux/netfilter/nf_tables.h.

// attr is a netlink attribute; nested if its value is made of others.
func attr(typ uint16, value ...[]byte) []byte {
	var body []byte
	for _, v := range value {
		body = append(body, v...)
	}
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, body...)
	return append(b, make([]byte, -len(b)&3)...)
}

const nested = unix.NLA_F_NESTED

func text(s string) []byte { return append([]byte(s), 0) }
func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func expr(name string, data ...[]byte) []byte {
	return attr(1|nested, attr(1, text(name)), attr(2|nested, data...))
}

// message is a netlink message of the family and kind.
func message(kind, flags uint16, family byte, id uint16, attrs ...[]byte) []byte {
	body := []byte{family, 0, byte(id >> 8), byte(id)}
	for _, a := range attrs {
		body = append(body, a...)
	}
	b := binary.NativeEndian.AppendUint32(nil, uint32(16+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = append(b, make([]byte, 8)...)
	return append(b, body...)
}

// translate has the kernel translate all flows of the version that is forwarded: to
// the address of the device by which they leave, or, if to is valid, to there, and to
// that port unless it is 0.
func translate(v6 bool, to netip.Addr, port uint16) error {
	const subsystem, newTable, newChain, newRule = unix.NFNL_SUBSYS_NFTABLES << 8, 0, 3, 6
	family := byte(unix.NFPROTO_IPV4)
	if v6 {
		family = unix.NFPROTO_IPV6
	}
	hook, priority, exprs := uint32(4), uint32(100), [][]byte{expr("masq")}
	if to.IsValid() {
		dest := -100
		hook, priority = 0, uint32(dest)
		nat := [][]byte{attr(1, be32(1)), attr(2, be32(uint32(family))), attr(3, be32(1))}
		exprs = [][]byte{expr("immediate", attr(1, be32(1)), attr(2|nested, attr(1, to.AsSlice())))}
		if port != 0 {
			nat = append(nat, attr(5, be32(2)))
			exprs = append(exprs, expr("immediate", attr(1, be32(2)), attr(2|nested, attr(1, []byte{byte(port >> 8), byte(port)}))))
		}
		exprs = append(exprs, expr("nat", nat...))
	}
	const create, ack = unix.NLM_F_CREATE, unix.NLM_F_ACK
	var batch []byte
	for _, m := range [][]byte{
		message(unix.NFNL_MSG_BATCH_BEGIN, 0, 0, unix.NFNL_SUBSYS_NFTABLES),
		message(subsystem|newTable, create|ack, family, 0, attr(1, text("nat"))),
		message(subsystem|newChain, create|ack, family, 0, attr(1, text("nat")), attr(3, text("all")),
			attr(4|nested, attr(1, be32(hook)), attr(2, be32(priority))), attr(7, text("nat"))),
		message(subsystem|newRule, create|ack, family, 0, attr(1, text("nat")), attr(2, text("all")), attr(4|nested, exprs...)),
		message(unix.NFNL_MSG_BATCH_END, 0, 0, unix.NFNL_SUBSYS_NFTABLES),
	} {
		batch = append(batch, m...)
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	return acknowledged(fd, 3)
}

// acknowledged reads n answers of the kernel.
func acknowledged(fd, n int) error {
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2})
	buf := make([]byte, 8192)
	for n > 0 {
		got, err := unix.Read(fd, buf)
		if err != nil {
			return fmt.Errorf("nf_tables does not answer: %w", err)
		}
		for b := buf[:got]; len(b) >= 20; n-- {
			size := int(binary.NativeEndian.Uint32(b))
			if code := int32(binary.NativeEndian.Uint32(b[16:])); code != 0 {
				return fmt.Errorf("nf_tables: %w", unix.Errno(-code))
			}
			if size = (size + 3) &^ 3; size > len(b) {
				return errors.New("nf_tables: an answer is cut short")
			}
			b = b[size:]
		}
	}
	return nil
}
