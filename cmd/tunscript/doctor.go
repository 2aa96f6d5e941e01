package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/doctor"
)

type doctorFlags struct {
	config             string
	ping, from, beyond string
	fix, json          bool
}

func doctorCommand() *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use:   "doctor [DEV]",
		Short: "Say why a device does not answer, and what mends it",
		Long: "doctor looks at a device, or at all TUN and TAP devices, and says in words what keeps\n" +
			"packets from going through, each with the command that mends it; --fix does what the\n" +
			"commands say. What the device should be it takes from -c, else from the `tunscript run`\n" +
			"that has it open. It sends no packet. The status is 0 when all is well, 1 when\n" +
			"something is wrong, 4 when --fix lacks a right.",
		Example: "  tunscript doctor tun0 --ping 192.0.2.2\n" +
			"  sudo tunscript doctor --fix tun0",
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			q, err := f.question(args)
			if err != nil {
				return err
			}
			return f.run(c.OutOrStdout(), q)
		},
	}
	c.Flags().StringVarP(&f.config, "config", "c", "", "configuration `FILE` that says what the devices should be")
	c.Flags().StringVar(&f.ping, "ping", "", "`ADDRESS` that this host should reach through the device (default: its peers)")
	c.Flags().StringVar(&f.from, "from", "", "`ADDRESS` that the script's packets come from")
	c.Flags().StringVar(&f.beyond, "beyond", "", "`ADDRESS` behind this host that they should reach")
	c.Flags().BoolVar(&f.fix, "fix", false, "do what the commands say")
	c.Flags().BoolVar(&f.json, "json", false, "for programs")
	return c
}

func (f *doctorFlags) question(args []string) (q doctor.Question, err error) {
	if len(args) > 0 {
		q.Device = args[0]
	}
	for _, a := range []struct {
		flag, text string
		to         *netip.Addr
	}{{"ping", f.ping, &q.Ping}, {"from", f.from, &q.From}, {"beyond", f.beyond, &q.Beyond}} {
		if a.text == "" {
			continue
		}
		if *a.to, err = netip.ParseAddr(a.text); err != nil {
			return q, &usageError{"tunscript doctor", fmt.Errorf("--%s %q: write it as 192.0.2.2", a.flag, a.text)}
		}
	}
	if q.Device == "" && f.ping+f.from+f.beyond != "" {
		return q, &usageError{"tunscript doctor", errors.New("--ping, --from and --beyond are about one device: name it")}
	}
	if f.config != "" {
		cfg, err := config.Load(f.config)
		if err != nil {
			return q, err
		}
		q.Wants = doctor.FromConfig(cfg)
	}
	return q, nil
}

// result is what --json prints.
type result struct {
	OK       bool             `json:"ok"`
	Findings []doctor.Finding `json:"findings"`
	Fixed    []doctor.Finding `json:"fixed"`
	Failed   []failure        `json:"failed"` // of what --fix has tried
}

type failure struct {
	Check  string `json:"check"`
	Device string `json:"device,omitempty"`
	Error  string `json:"error"`
	err    error
}

func (f *doctorFlags) run(w io.Writer, q doctor.Question) error {
	r := result{Findings: []doctor.Finding{}, Fixed: []doctor.Finding{}, Failed: []failure{}}
	found, err := doctor.Examine(q)
	if err == nil && f.fix {
		found, err = r.fix(q, found)
	}
	if err != nil {
		return runError{err}
	}
	r.Findings = append(r.Findings, found...)
	r.OK = true
	for _, one := range found {
		r.OK = r.OK && one.Note
	}
	if f.json {
		err = writeJSON(w, r)
	} else {
		none := false
		if q.Device == "" && len(q.Wants) == 0 && len(found) == 0 {
			there, err := devices()
			none = err == nil && len(there) == 0
		}
		r.print(w, q.Device, none)
	}
	switch {
	case err != nil:
		return runError{err}
	case r.OK:
		return nil
	case r.denied():
		return statusError(exitPrivilege)
	}
	return statusError(exitFailed)
}

// fix mends one thing after the other, and looks again after each: some come to light
// only then, and some are gone with another.
func (r *result) fix(q doctor.Question, found []doctor.Finding) ([]doctor.Finding, error) {
	tried := map[string]bool{}
	for i := 0; i < len(found); {
		one := found[i]
		key := one.Check + one.Device + strings.Join(one.Fix, ";")
		if one.Note || tried[key] {
			i++
			continue
		}
		tried[key] = true
		if err := one.Repair(); err == nil {
			r.Fixed = append(r.Fixed, one)
		} else if !errors.Is(err, doctor.ErrByHand) {
			r.Failed = append(r.Failed, failure{one.Check, one.Device, err.Error(), err})
		}
		var err error
		if found, err = doctor.Examine(q); err != nil {
			return nil, err
		}
		i = 0
	}
	return found, nil
}

func (r *result) denied() bool {
	for _, one := range r.Failed {
		if errors.Is(one.err, fs.ErrPermission) {
			return true
		}
	}
	return false
}

// print writes a paragraph for each finding: what is wrong, then the commands, indented.
func (r *result) print(w io.Writer, device string, none bool) {
	for _, one := range r.Fixed {
		fmt.Fprintf(w, "%s: fixed: %s\n", title(one.Device, one.Check), strings.Join(one.Fix, "; "))
	}
	for _, one := range r.Failed {
		fmt.Fprintf(w, "%s: not fixed: %s\n", title(one.Device, one.Check), one.Error)
	}
	for _, one := range r.Findings {
		note := ""
		if one.Note {
			note = "note: "
		}
		fmt.Fprintf(w, "%s: %s%s\n", title(one.Device, one.Check), note, lines(one.Problem))
		for _, command := range one.Fix {
			fmt.Fprintf(w, "    %s%s\n", sudo(), command)
		}
	}
	switch {
	case !r.OK:
	case device != "":
		fmt.Fprintf(w, "%s: all is well\n", device)
	case none:
		fmt.Fprintln(w, "all is well: there is no TUN or TAP device, and nothing in the way of one")
	default:
		fmt.Fprintln(w, "all is well")
	}
}

func title(device, check string) string {
	if device == "" {
		return check
	}
	return device + ": " + check
}

// sudo is what an ordinary user puts before a command.
func sudo() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return "sudo "
}
