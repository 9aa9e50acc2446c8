package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/sandbox/stack"
)

// report shows where the account's report is, and verifies it as somebody without Framebridge would.
func (p *accountPlay) report(ctx context.Context) error {
	v, err := p.until(ctx, "the report is stored", func(v migrationView) bool { return v.Iconik.Report != "" })
	if err != nil {
		return err
	}
	p.tell("It is an asset in iconik, and a page:")
	p.tell("  %s", p.IconikURL+"/asset/"+v.Iconik.Report)
	p.tell("  %s", p.PageURL+"/migrations/"+p.migration+"/report.html")
	raw, _, err := p.Call(ctx, http.MethodGet, "/migrations/"+p.migration+"/report.json", "")
	if err != nil {
		return err
	}
	return p.prove(ctx, "account-report", raw)
}

// prove verifies a signed file, and checks that one flipped bit is detected.
func (p *accountPlay) prove(ctx context.Context, name string, raw []byte) error {
	file := filepath.Join(p.dir, name+".json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return err
	}
	if err := p.verify(ctx, file, true); err != nil {
		return err
	}
	changed := slices.Clone(raw)
	changed[len(changed)/2] ^= 1
	file = filepath.Join(p.dir, name+"-changed.json")
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		return err
	}
	p.tell("The same with one bit flipped in the middle:")
	return p.verify(ctx, file, false)
}

// verify runs starter verify, which needs no network, and prints what it found.
func (p *accountPlay) verify(ctx context.Context, file string, proves bool) error {
	p.tell("starter verify %s --key …", filepath.Base(file))
	code, raw, err := p.Verify(ctx, file)
	if err != nil {
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n")[1:] {
		p.tell("  %s", strings.TrimSpace(line))
	}
	if proves && code != stack.Proven && code != stack.NotProven || !proves && code != stack.Differs {
		return fmt.Errorf("starter verify says otherwise than it should: %s", raw)
	}
	return nil
}
