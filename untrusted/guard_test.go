package untrusted

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

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

// A simulator on this machine may name others on it; a vendor on the Internet may not, whatever the name resolves to.
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
			for _, to := range []string{store.URL, "http://localhost:" + u.Port()} { // by address, and by a name that DNS leads here
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
