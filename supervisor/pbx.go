package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ringmaster/config"
	"ringmaster/proto/phone"
	"ringmaster/supervisor/pbx"
)

const pbxPort = 5060

// loopback is where a PBX listens unless it is told otherwise: it is for
// machines without one, and not for the network.
func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// pbxFlag is --pbx with or without an address.
type pbxFlag struct {
	wanted bool
	addr   netip.AddrPort // not valid: the default
}

func (p *pbxFlag) String() string { return "" }

// IsBoolFlag lets the flag stand without a value.
func (p *pbxFlag) IsBoolFlag() bool { return true }

// Set takes what follows the "="; "true" when nothing does.
func (p *pbxFlag) Set(value string) error {
	p.wanted, p.addr = value != "false", netip.AddrPort{}
	if value == "true" || value == "false" {
		return nil
	}
	addr, err := parsePBXAddr(value)
	p.addr = addr
	return err
}

// parsePBXAddr reads host:port, host, or port alone.
func parsePBXAddr(s string) (netip.AddrPort, error) {
	wrong := errors.New("the PBX's address is an IP address and a port, as 127.0.0.1:5070, or one of the two")
	host, port := s, strconv.Itoa(pbxPort)
	if _, err := strconv.Atoi(s); err == nil {
		host, port = "", s
	} else if h, p, err := net.SplitHostPort(s); err == nil {
		host, port = h, p
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || s == "" {
		return netip.AddrPort{}, wrong
	}
	addr := loopback()
	if host != "" && host != "localhost" {
		if addr, err = netip.ParseAddr(host); err != nil {
			return netip.AddrPort{}, wrong
		}
	}
	return netip.AddrPortFrom(addr, uint16(n)), nil
}

// withPBXAddr joins "--pbx ADDR" to one argument, where what follows is an
// address: a flag whose value may be missing is only known so to the flag
// package.
func withPBXAddr(args []string) []string {
	args = slices.Clone(args)
	for i := 0; i+1 < len(args); i++ {
		if args[i] != "--pbx" && args[i] != "-pbx" {
			continue
		}
		if _, err := parsePBXAddr(args[i+1]); err == nil {
			args[i] += "=" + args[i+1]
			args = slices.Delete(args, i+1, i+2)
		}
	}
	return args
}

// pbxAddr is where the phones of a profile look for their registrar, when all
// do at one address of loopback.
func pbxAddr(phones []phone.Settings) netip.AddrPort {
	found := netip.AddrPort{}
	for _, s := range phones {
		addr, err := parsePBXAddr(s.Domain)
		if err != nil || !addr.Addr().IsLoopback() || found.IsValid() && addr != found {
			return netip.AddrPortFrom(loopback(), pbxPort)
		}
		found = addr
	}
	if !found.IsValid() {
		return netip.AddrPortFrom(loopback(), pbxPort)
	}
	return found
}

func usersOf(phones []phone.Settings) map[string]phone.Secret {
	users := map[string]phone.Secret{}
	for _, s := range phones {
		users[s.Username] = s.Password
	}
	return users
}

// servePBX runs the embedded PBX alone, for phones of others.
func servePBX(ctx context.Context, e Edges, args []string) error {
	o := &options{}
	f := newFlags("pbx", "info", o)
	rest, err := parse(f, args)
	if errors.Is(err, errHelp) {
		return usage(e, "pbx [--profile FILE] [ADDRESS]: the embedded PBX alone, until it is interrupted; its users are those of the profile", f)
	}
	if err == nil {
		err = o.check()
	}
	if err == nil && len(rest) > 1 {
		err = invalid(fmt.Errorf("pbx takes one address, not %q", rest))
	}
	if err == nil && len(rest) == 1 {
		if err = o.pbx.Set(rest[0]); err != nil {
			err = invalid(fmt.Errorf("%q: %w", rest[0], err))
		}
	}
	if err != nil {
		return err
	}
	profile, err := config.Load(cmp.Or(o.profile, e.roots(o.roots).Profile), config.Options{Getenv: e.lookupEnv})
	if err != nil {
		return invalid(err)
	}
	if !o.pbx.addr.IsValid() {
		o.pbx.addr = pbxAddr(profile.Phones)
	}
	users := usersOf(profile.Phones)
	p, err := pbx.Listen(pbx.Config{
		Addr: o.pbx.addr, Log: o.logger(e.Stderr).Named("pbx"),
		Users: func(name string) (phone.Secret, bool) { password, ok := users[name]; return password, ok },
	})
	if err != nil {
		return cannot(err)
	}
	defer p.Close()
	names := strings.Join(slices.Sorted(maps.Keys(users)), ", ")
	if _, err := fmt.Fprintf(e.Stdout, "PBX on %s (udp and tcp), users %s; interrupt it to end it\n", p.Addr(), names); err != nil {
		return cannot(err)
	}
	<-ctx.Done()
	return nil
}
