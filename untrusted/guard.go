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
	"strings"
	"sync"
	"syscall"
	"time"
)

// Guard keeps calls to addresses that a vendor names (signed URLs, redirects, upload sessions) from reaching this machine
// and the networks behind it. What it goes by is the address that is dialled, after DNS.
type Guard struct {
	networks []netip.Prefix // that the operator allows

	mu    sync.Mutex
	bases map[string]bool // hosts of the vendors' own base URLs
	kinds map[string]bool // of network that the base URLs are in
	at    time.Time       // when that was looked up
}

const (
	basesFresh  = time.Minute
	lookTimeout = 5 * time.Second
)

// NewGuard allows public addresses, addresses of the same kind as those that the base URLs lead to — a simulator on
// 127.0.0.1 may name others there —, and the networks.
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

// AddressError says that a vendor has named an address that is not called.
type AddressError struct {
	Address string
	Kind    string // loopback, private, link-local, …
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("the address %s is %s: an address that a vendor names must be public; where a storage is in your own network, name that in transfer.allowed_networks", e.Address, e.Kind)
}

// IsRefused says that an address was not called, and will not be.
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
	// What stands for addresses of IPv4 in ways that no public host uses.
	{"reserved", netip.MustParsePrefix("::/96")}, {"reserved", netip.MustParsePrefix("::ffff:0:0:0/96")}, {"reserved", netip.MustParsePrefix("64:ff9b:1::/48")},
	{"reserved", netip.MustParsePrefix("2001::/32")}, {"reserved", netip.MustParsePrefix("fec0::/10")},
}

var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	sixToIV = netip.MustParsePrefix("2002::/16")
)

// kindOf is empty for a public address. Addresses that hold an IPv4 address are of its kind.
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

// Dial dials what the guard does not refuse; without a guard it refuses nothing. The operator's own proxy is not judged.
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

// check judges an address after DNS: that it was public a moment ago helps nobody.
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

// baseKinds looks up where the base URLs lead, once a minute.
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

// Proxy is http.ProxyFromEnvironment, which the guard cannot look behind: through a proxy, addresses of this machine and
// its networks are refused where the URL names them as such. The proxy's own address is the operator's.
func (g *Guard) Proxy(r *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(r)
	if g == nil || proxy == nil || err != nil {
		return proxy, err
	}
	host := r.URL.Hostname()
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "localhost":
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case err != nil:
		return proxy, nil //nolint:nilerr // a name: the proxy resolves it
	}
	if kind := kindOf(ip); kind != "" && !g.allowed(r.Context(), ip, kind) {
		return nil, &AddressError{Address: host, Kind: kind}
	}
	return proxy, nil
}

const mostRedirects = 5

// Redirect follows a redirect, as http.Client's CheckRedirect, that neither turns a write into a read nor leaves https for
// http. What goes to another scheme, host or port goes without credentials, without what else the first request said of us,
// and only where it reads. Other redirects are not followed: they are the answer.
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

// carried are the headers that hold nothing of ours.
var carried = map[string]bool{"Accept": true, "Accept-Encoding": true, "If-Match": true, "Range": true, "User-Agent": true}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && cmp.Or(a.Port(), defaultPorts[a.Scheme]) == cmp.Or(b.Port(), defaultPorts[b.Scheme])
}
