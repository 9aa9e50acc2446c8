//go:build !amd64

package widemd5

func variants() []string { return []string{"standard"} }

func choose(string) (restore func()) { return func() {} }
