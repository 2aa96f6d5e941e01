// Package keeper has the small process that keeps the rights which a run gives up: it
// opens devices and hands their descriptors over, and undoes what was changed on the
// host when the run ends, however it ends.
//
// It knows devices as package tundev opens them and changes as package tundev/host
// makes them; nothing of packets, scripts, or what a configuration looks like.
//
// # Two processes
//
//	tunscript run -c FILE           reads the file, starts the keeper, drops its
//	 |                              rights, runs the scripts
//	 +- tunscript keeper            no script, no configuration, CAP_NET_ADMIN
//
// A socket pair connects them. The first message is the [Plan], sent while the run has
// its rights and no script has run yet. After that the run can ask for three things:
// open device number N of the plan, lay what the plan says about the host, undo. None
// of them takes a name, a path or a number that is not in the plan, so a run that has
// been taken over can ask for nothing that its configuration did not.
//
// When the socket closes, the keeper undoes and ends. The kernel closes it, so that
// also holds after SIGKILL. The keeper itself ignores what a terminal or a service
// manager sends to everybody; SIGKILL to both of them leaves the journal.
//
// # The journal
//
// Each change is written down before it is made, one JSON object a line, as what it
// takes to put it back (host.Change). The file is locked as long as the keeper lives;
// one that nobody has locked is a [Leftover]. The next keeper in the same network
// namespace undoes it, or `tunscript doctor --fix` does. It is in $RUNTIME_DIRECTORY,
// as systemd says it, or /run/tunscript, or of a user $XDG_RUNTIME_DIR/tunscript, all
// of which a reboot empties.
//
// Two runs at a time may want the same sysctl. The later one takes over what the
// earlier one found, and who ends first leaves it to the other.
package keeper
