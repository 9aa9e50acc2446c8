package console

import "strings"

// TenantID is the tenant whose page it is, "" outside a tenant.
func (p page) TenantID() string { return strings.TrimSuffix(strings.TrimPrefix(p.Path, Root), "/") }
