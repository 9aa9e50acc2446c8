package untrusted

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKindsOfAddresses(t *testing.T) {
	for ip, want := range map[string]string{
		"1.1.1.1": "", "2606:4700::1111": "", "127.0.0.1": "loopback", "127.9.9.9": "loopback", "::1": "loopback", "0.0.0.0": "loopback", "::": "loopback",
		"10.0.0.1": "private", "172.31.0.1": "private", "192.168.1.1": "private", "100.64.0.1": "private", "fd00::1": "private",
		"169.254.169.254": "link-local", "fe80::1": "link-local", "224.0.0.1": "multicast", "255.255.255.255": "reserved",
		"::ffff:127.0.0.1": "loopback", "::ffff:169.254.169.254": "link-local", "64:ff9b::7f00:1": "loopback", "2002:7f00:1::": "loopback", "2002:a9fe:a9fe::": "link-local",
		"64:ff9b:1::7f00:1": "reserved", "fec0::1": "reserved", "::127.0.0.1": "reserved", "::ffff:0:127.0.0.1": "reserved", "2001:0:7f00:1::": "reserved",
	} {
		assert.Equal(t, want, kindOf(netip.MustParseAddr(ip)), ip)
	}
}

// A simulator on this machine may name other addresses on it. A vendor on the Internet may not, whatever the name resolves to.
func TestAddressesThatAVendorNames(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer store.Close()
	u, err := url.Parse(store.URL)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		base     string
		networks []netip.Prefix
		good     bool
	}{
		"a vendor on the Internet":      {base: "https://1.1.1.1"},
		"a vendor in a private network": {base: "http://10.0.0.7"},
		"a simulator":                   {base: "http://127.0.0.1:9999", good: true},
		"a simulator by name":           {base: "http://localhost:9999", good: true},
		"a network that is allowed":     {base: "https://1.1.1.1", networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, good: true},
		"another network":               {base: "https://1.1.1.1", networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
	} {
		t.Run(name, func(t *testing.T) {
			guard := NewGuard([]string{tt.base}, tt.networks)
			h := &http.Client{Transport: &http.Transport{Proxy: guard.Proxy, DialContext: guard.Dial(net.Dialer{})}}
			for _, to := range []string{store.URL, "http://localhost:" + u.Port()} { // by address, and by a name that resolves to this machine
				resp, err := h.Get(to)
				if tt.good {
					require.NoError(t, err)
					resp.Body.Close()
					continue
				}
				var refused *AddressError
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, "loopback", refused.Kind)
			}
		})
	}
	c, err := (*Guard)(nil).Dial(net.Dialer{})(context.Background(), "tcp", u.Host)
	require.NoError(t, err)
	c.Close()
}

// A proxy dials what the URL says, so a URL that leads to this machine or its networks is refused before the proxy is asked, in
// any notation and by name, too.
func TestNoProxyIsAskedForAnAddressInside(t *testing.T) {
	guard := NewGuard([]string{"https://1.1.1.1"}, []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")})
	guard.names = map[string]lookedUp{}
	for name, ip := range map[string]string{"inside.example": "10.0.0.5", "metadata.example": "169.254.169.254", "out.example": "93.184.216.34", "both.example": "93.184.216.34 127.0.0.1", "storage.example": "10.1.2.3", "unknown.example": ""} {
		looked := lookedUp{at: time.Now().Add(time.Hour)}
		for _, text := range strings.Fields(ip) {
			looked.ips = append(looked.ips, netip.MustParseAddr(text))
		}
		guard.names[name] = looked
	}
	proxy := &url.URL{Scheme: "http", Host: "proxy.example:3128"}
	for host, kind := range map[string]string{
		"2130706433": "loopback", "0x7f000001": "loopback", "0x7F.1": "loopback", "0177.0.0.1": "loopback", "127.1": "loopback", "127.0.1": "loopback", "127.0.0.1.": "loopback", "0": "loopback", "017700000001": "loopback",
		"[::ffff:127.0.0.1]": "loopback", "[::ffff:7f00:1]": "loopback", "[64:ff9b::a9fe:a9fe]": "link-local", "[fe80::1%25eth0]": "link-local", "[::1]": "loopback", "0xa9fea9fe": "link-local", "2852039166": "link-local", "0xA.0.0x0.5": "private",
		"１２７.0.0.1": "loopback", "127。0。0。1": "loopback", "LOCALHOST": "loopback", "localhost.": "loopback", "a.localhost": "loopback", "192.168.1.1": "private",
		"inside.example": "private", "INSIDE.example.": "private", "metadata.example": "link-local", "both.example": "loopback",
		"out.example": "", "unknown.example": "", "1.1.1.1": "", "storage.example": "", "10.1.9.9": "", "0x01010101": "", "16843009": "",
	} {
		r := &http.Request{URL: &url.URL{Scheme: "https", Host: host, Path: "/"}}
		got, err := guard.proxied(r.WithContext(t.Context()), func(*http.Request) (*url.URL, error) { return proxy, nil })
		if kind == "" {
			require.NoError(t, err, host)
			assert.Equal(t, proxy, got)
			continue
		}
		var refused *AddressError
		if assert.ErrorAs(t, err, &refused, host) {
			assert.Equal(t, kind, refused.Kind, host)
		}
	}
	real := proxies
	t.Cleanup(func() { proxies = real })
	proxies = func() map[string]bool { return map[string]bool{"127.0.0.1:3128": true} }
	for address, refuse := range map[string]bool{"127.0.0.1:3128": true, "127.0.0.1:3129": false} { // Dial refuses the latter
		r := &http.Request{URL: &url.URL{Scheme: "http", Host: address, Path: "/"}}
		_, err := guard.proxied(r.WithContext(t.Context()), func(*http.Request) (*url.URL, error) { return nil, nil })
		assert.Equal(t, refuse, IsRefused(err), "the proxy itself is nothing that a vendor may name: %s", address)
	}
	for _, text := range []string{"1.2.3.4.5", "256.1.1.1", "1.2.65536", "4294967296", "08.1", "0xg", "", "a", "1..1", "-1", "+1", "1_0"} {
		_, ok := oldIPv4(text)
		assert.False(t, ok, text)
	}
}
