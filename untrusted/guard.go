package untrusted

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/idna"
)

// Guard keeps calls to addresses that a vendor names (signed URLs, redirects, upload sessions) from reaching this machine and the
// networks behind it. It judges the address that is dialed, after DNS.
type Guard struct {
	networks []netip.Prefix // allowed by the operator

	mu    sync.Mutex
	bases map[string]bool // hosts of the vendors' own base URLs
	kinds map[string]bool // kinds of network that the base URLs are in
	at    time.Time       // when the kinds were looked up
	names map[string]lookedUp
}

const (
	basesFresh  = time.Minute
	lookTimeout = 5 * time.Second
)

// NewGuard allows public addresses, addresses of the same kind as those that the base URLs lead to (a simulator on 127.0.0.1 may
// name others there), and the given networks.
func NewGuard(bases []string, networks []netip.Prefix) *Guard {
	g := &Guard{networks: networks}
	g.SetBases(bases)
	return g
}

// SetBases replaces the base URLs.
func (g *Guard) SetBases(bases []string) {
	hosts := map[string]bool{}
	for _, b := range bases {
		if u, err := url.Parse(b); err == nil && u.Hostname() != "" {
			hosts[u.Hostname()] = true
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bases, g.kinds = hosts, nil
}

// AddressError means that a vendor named an address that is not called.
type AddressError struct {
	Address string
	Kind    string // loopback, private, link-local, …
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("the address %s is %s: an address that a vendor names must be public; where a storage is in your own network, name that in transfer.allowed_networks", e.Address, e.Kind)
}

// IsRefused reports whether err means that an address was not called, and will not be.
func IsRefused(err error) bool {
	var e *AddressError
	return errors.As(err, &e)
}

var special = []struct {
	kind   string
	prefix netip.Prefix
}{
	{"loopback", netip.MustParsePrefix("127.0.0.0/8")}, {"loopback", netip.MustParsePrefix("0.0.0.0/8")},
	{"loopback", netip.MustParsePrefix("::1/128")}, {"loopback", netip.MustParsePrefix("::/128")},
	{"private", netip.MustParsePrefix("10.0.0.0/8")}, {"private", netip.MustParsePrefix("172.16.0.0/12")},
	{"private", netip.MustParsePrefix("192.168.0.0/16")}, {"private", netip.MustParsePrefix("100.64.0.0/10")},
	{"private", netip.MustParsePrefix("fc00::/7")}, {"link-local", netip.MustParsePrefix("169.254.0.0/16")},
	{"link-local", netip.MustParsePrefix("fe80::/10")}, {"reserved", netip.MustParsePrefix("192.0.0.0/24")},
	{"reserved", netip.MustParsePrefix("198.18.0.0/15")}, {"multicast", netip.MustParsePrefix("224.0.0.0/4")},
	{"reserved", netip.MustParsePrefix("240.0.0.0/4")}, {"multicast", netip.MustParsePrefix("ff00::/8")},
	// Ways to write IPv4 addresses that no public host uses.
	{"reserved", netip.MustParsePrefix("::/96")}, {"reserved", netip.MustParsePrefix("::ffff:0:0:0/96")}, {"reserved", netip.MustParsePrefix("64:ff9b:1::/48")},
	{"reserved", netip.MustParsePrefix("2001::/32")}, {"reserved", netip.MustParsePrefix("fec0::/10")},
}

var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	sixToIV = netip.MustParsePrefix("2002::/16")
)

// kindOf returns "" for a public address. An address that embeds an IPv4 address has the kind of that one.
func kindOf(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	raw := ip.As16()
	switch {
	case ip.Is6() && nat64.Contains(ip):
		return kindOf(netip.AddrFrom4([4]byte(raw[12:16])))
	case ip.Is6() && sixToIV.Contains(ip):
		return kindOf(netip.AddrFrom4([4]byte(raw[2:6])))
	}
	for _, s := range special {
		if s.prefix.Contains(ip) {
			return s.kind
		}
	}
	return ""
}

// Dial returns a dial function that refuses what the guard refuses. A nil guard refuses nothing. The operator's own proxy is
// always allowed.
func (g *Guard) Dial(d net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	if g == nil {
		return d.DialContext
	}
	guarded := d
	guarded.ControlContext = func(ctx context.Context, _, address string, _ syscall.RawConn) error { return g.check(ctx, address) }
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if proxies()[address] {
			return d.DialContext(ctx, network, address)
		}
		return guarded.DialContext(ctx, network, address)
	}
}

// proxies are the addresses of the proxies in the environment.
var proxies = sync.OnceValue(func() map[string]bool {
	found := map[string]bool{}
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		text := os.Getenv(name)
		if text == "" {
			continue
		}
		if !strings.Contains(text, "://") {
			text = "http://" + text
		}
		if u, err := url.Parse(text); err == nil {
			found[net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), defaultPorts[u.Scheme]))] = true
		}
	}
	return found
})

var defaultPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// check judges an address after DNS, because the name may have resolved to a public one a moment ago.
func (g *Guard) check(ctx context.Context, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &AddressError{Address: address, Kind: "unknown"}
	}
	kind := kindOf(at.Addr())
	if kind == "" || g.allowed(ctx, at.Addr(), kind) {
		return nil
	}
	return &AddressError{Address: at.Addr().String(), Kind: kind}
}

func (g *Guard) allowed(ctx context.Context, ip netip.Addr, kind string) bool {
	for _, n := range g.networks {
		if n.Contains(ip.Unmap()) {
			return true
		}
	}
	return g.baseKinds(ctx)[kind]
}

// baseKinds returns the kinds of network that the base URLs lead to, looked up at most once a minute.
func (g *Guard) baseKinds(ctx context.Context) map[string]bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kinds != nil && time.Since(g.at) < basesFresh {
		return g.kinds
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	kinds := map[string]bool{}
	for host := range g.bases {
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			continue
		}
		for _, ip := range ips {
			kinds[kindOf(ip)] = true
		}
	}
	delete(kinds, "")
	g.kinds, g.at = kinds, time.Now()
	return kinds
}

// Proxy is http.ProxyFromEnvironment with a check, because a proxy dials whatever the URL says. A URL that leads to this machine
// or its networks, by a name that resolves to them or an address in any notation, is refused before the proxy is asked. A name
// unknown here is left to the proxy: in many networks, only the proxy resolves outside names.
func (g *Guard) Proxy(r *http.Request) (*url.URL, error) {
	return g.proxied(r, http.ProxyFromEnvironment)
}

func (g *Guard) proxied(r *http.Request, through func(*http.Request) (*url.URL, error)) (*url.URL, error) {
	proxy, err := through(r)
	if g == nil || err != nil {
		return proxy, err
	}
	host := r.URL.Hostname()
	// Dial allows calls to the proxy's address, and cannot tell calls through it from calls that name it as their target.
	if proxy == nil && !proxies()[net.JoinHostPort(host, cmp.Or(r.URL.Port(), defaultPorts[r.URL.Scheme]))] {
		return nil, nil //nolint:nilnil // no proxy
	}
	for _, ip := range g.leadsTo(r.Context(), host) {
		if kind := kindOf(ip); kind != "" && !g.allowed(r.Context(), ip, kind) {
			return nil, &AddressError{Address: host, Kind: kind}
		}
	}
	return proxy, nil
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// leadsTo returns the addresses that a host stands for, as far as this machine knows.
func (g *Guard) leadsTo(ctx context.Context, host string) []netip.Addr {
	if plain, err := idna.Lookup.ToASCII(host); err == nil { // full-width digits are digits
		host = plain
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}
	}
	if ip, ok := oldIPv4(host); ok {
		return []netip.Addr{ip}
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return []netip.Addr{loopback}
	}
	g.mu.Lock()
	known, ok := g.names[host]
	g.mu.Unlock()
	if ok && time.Since(known.at) < basesFresh {
		return known.ips
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil && ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil // the call has ended
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.names == nil || len(g.names) >= mostNames {
		g.names = map[string]lookedUp{}
	}
	g.names[host] = lookedUp{ips, time.Now()}
	return ips
}

// lookedUp is what a name resolved to at a time; ips is empty if it is unknown here.
type lookedUp struct {
	ips []netip.Addr
	at  time.Time
}

const mostNames = 1000

// oldIPv4 parses the notations of inet_aton, which many proxies and resolvers accept: 127.1, 0177.0.0.1, 0x7f000001, 2130706433.
func oldIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var whole uint64
	for i, part := range parts {
		n, ok := oldNumber(part)
		bits := 8
		if i == len(parts)-1 { // the last part fills the remaining bytes
			bits = 8 * (5 - len(parts))
		}
		if !ok || n >= 1<<bits {
			return netip.Addr{}, false
		}
		whole = whole<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(whole >> 24), byte(whole >> 16), byte(whole >> 8), byte(whole)}), true
}

func oldNumber(text string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(text, "0x"):
		text, base = text[2:], 16
		if text == "" {
			return 0, true
		}
	case len(text) > 1 && text[0] == '0':
		text, base = text[1:], 8
	}
	n, err := strconv.ParseUint(text, base, 32)
	return n, err == nil
}

const mostRedirects = 5

// Redirect is a CheckRedirect for http.Client. It follows a redirect only if it neither turns a write into a read nor leaves
// https for http. A redirect to another scheme, host or port is followed only for reads, without credentials or anything else the
// first request said about us. A redirect that is not followed is the response.
func Redirect(next *http.Request, via []*http.Request) error {
	first, from := via[0], via[len(via)-1].URL
	if len(via) >= mostRedirects || next.Method != first.Method || from.Scheme == "https" && next.URL.Scheme != "https" {
		return http.ErrUseLastResponse
	}
	if sameOrigin(next.URL, first.URL) {
		return nil
	}
	if next.Method != http.MethodGet && next.Method != http.MethodHead {
		return http.ErrUseLastResponse
	}
	for name := range next.Header {
		if !carried[name] {
			delete(next.Header, name)
		}
	}
	return nil
}

// carried are the headers that reveal nothing about us.
var carried = map[string]bool{"Accept": true, "Accept-Encoding": true, "If-Match": true, "Range": true, "User-Agent": true}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && cmp.Or(a.Port(), defaultPorts[a.Scheme]) == cmp.Or(b.Port(), defaultPorts[b.Scheme])
}
