package setup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

// Op is the operation on an object.
type Op string

// The operations of setup.
const (
	Create  Op = "create"
	Update  Op = "update"
	Enable  Op = "enable"
	Replace Op = "replace" // created again, because its secret is unknown or it cannot be turned on
	Keep    Op = "keep"
	Remove  Op = "remove"
)

// Change is one line of the difference between the existing and the desired state.
type Change struct {
	Op      Op       `json:"op"`
	Vendor  string   `json:"vendor"` // Frame.io or iconik
	Kind    Kind     `json:"kind"`
	Name    string   `json:"name"`
	Where   string   `json:"where,omitempty"` // the workspace's name, or iconik's context
	ID      string   `json:"id,omitempty"`    // of the existing object
	Details []string `json:"details,omitempty"`
	Note    string   `json:"note,omitempty"`  // what a person should know
	Error   string   `json:"error,omitempty"` // why it failed

	do func(ctx context.Context) error
}

// Option is something to choose from.
type Option struct{ ID, Name string }

// Setup is one tenant's setup.
type Setup struct {
	Tenant  *config.Tenant
	Base    string // public URL with the API's prefix
	Frameio frameio.Installer
	Iconik  *iconik.Client
	Ledger  Ledger

	Workspaces []string // IDs or names; none: those of the last run, or else what Choose returns
	Groups     []string // IDs or names of the iconik groups that see the actions; none: those of the last run
	// Choose asks a person. If nil, setup takes all workspaces and the last run's groups.
	Choose func(what string, options []Option) ([]Option, error)
	// InUse means that archives or reviews have written values to iconik. Their fields are then never removed.
	InUse bool
}

// Plan is what a run would do.
type Plan struct {
	Tenant  string   `json:"tenant"`
	Name    string   `json:"name"`
	DryRun  bool     `json:"dry_run"`
	Applied bool     `json:"applied"`
	Changes []Change `json:"changes"`
	// Notes are what a person must fix in the configuration.
	Notes []string `json:"notes,omitempty"`

	before, after []func(ctx context.Context) error // steps that update the record
}

// planner is a plan in the making.
type planner struct {
	*Setup
	record Record
	plan   *Plan
	secret string            // of iconik's secret header
	views  map[string]string // name → ID
	groups []string          // IDs
}

// ErrChoice wraps the errors of choices that a person must make first. They are usage errors.
var ErrChoice = errors.New("choose one")

// Plan reads both sides and returns what would be created or changed. It writes nothing.
func (s *Setup) Plan(ctx context.Context) (*Plan, error) {
	p, err := s.planner(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.chooseSecret(); err != nil {
		return nil, err
	}
	if err := p.planFrameio(ctx); err != nil {
		return nil, err
	}
	if err := p.planIconik(ctx); err != nil {
		return nil, err
	}
	return p.plan, nil
}

func (s *Setup) planner(ctx context.Context) (*planner, error) {
	if _, _, err := s.Ledger.Token(ctx, recordName); err != nil {
		if errors.Is(err, ledger.ErrNoKey) {
			return nil, fmt.Errorf("ledger.encryption_key is missing: setup needs it to encrypt the secrets that Frame.io shows only once; set it to a secret of 16 characters or more")
		}
		return nil, err
	}
	record, err := Load(ctx, s.Ledger)
	if err != nil {
		return nil, err
	}
	return &planner{Setup: s, record: record, views: map[string]string{}, plan: &Plan{Tenant: s.Tenant.ID, Name: s.Tenant.Name}}, nil
}

// chooseSecret sets the secret of iconik's calls: the configured one, the one generated earlier, or a new one.
func (p *planner) chooseSecret() error {
	configured := p.Tenant.Iconik.ActionSecret.Reveal()
	switch {
	case configured != "":
		p.secret = configured
	case p.record.ActionSecret != "":
		p.secret = p.record.ActionSecret
	default:
		var b [32]byte
		if _, err := rand.Read(b[:]); err != nil {
			return err
		}
		p.secret = hex.EncodeToString(b[:])
		redact.Know(p.secret)
		p.plan.before = append(p.plan.before, p.remember(func(r *Record) { r.ActionSecret = p.secret }))
	}
	return nil
}

func (p *planner) remember(with func(*Record)) func(context.Context) error {
	return func(ctx context.Context) error { return change(ctx, p.Ledger, with) }
}

func (p *planner) add(c Change) { p.plan.Changes = append(p.plan.Changes, c) }

// intend records that an object is about to be created.
func (p *planner) intend(ctx context.Context, kind Kind, key, where string) error {
	return change(ctx, p.Ledger, func(r *Record) { r.put(Object{Kind: kind, Key: key, Where: where}) })
}

func (p *planner) made(ctx context.Context, o Object) error {
	redact.Know(o.Secret)
	if err := change(ctx, p.Ledger, func(r *Record) { r.put(o) }); err != nil {
		return fmt.Errorf("it was created but not recorded: run setup again: %w", err)
	}
	return nil
}

// Changed returns the number of changes that do something.
func (p *Plan) Changed() int {
	n := 0
	for _, c := range p.Changes {
		if c.Op != Keep {
			n++
		}
	}
	return n
}

// Apply carries out the plan and continues after failures. Its error says how many changes failed; each of those has its own error.
// done, if not nil, is called after each change.
func (p *Plan) Apply(ctx context.Context, done func(Change)) error {
	for _, step := range p.before {
		if err := step(ctx); err != nil {
			return err
		}
	}
	p.before = nil
	var first error
	failed := 0
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.do == nil {
			continue
		}
		if err := patiently(ctx, c.do); err != nil {
			c.Error = err.Error()
			failed++
			first = errors.Join(first, err)
		}
		if done != nil {
			done(*c)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed > 0 {
		return &PartlyError{Failed: failed, Of: p.Changed(), cause: first}
	}
	for _, step := range p.after {
		if err := step(ctx); err != nil {
			return err
		}
	}
	p.after, p.Applied = nil, true
	return nil
}

// pauses is how many times a change waits for as long as a vendor asks. Frame.io allows ten new webhooks per minute.
const pauses = 10

// patiently retries a throttled change after the pauses that the vendor asks for.
func patiently(ctx context.Context, do func(context.Context) error) error {
	for tries := 0; ; tries++ {
		err := do(ctx)
		var e *rest.Error
		if !errors.As(err, &e) || e.Class != rest.Throttled || tries == pauses {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(e.RetryAfter):
		}
	}
}

// PartlyError says that some changes failed. The others were made.
type PartlyError struct {
	Failed, Of int
	cause      error
}

func (e *PartlyError) Error() string {
	return fmt.Sprintf("%d of %d changes failed; the others were made, and another run continues from there", e.Failed, e.Of)
}
func (e *PartlyError) Unwrap() error { return e.cause }

// differs describes a value that differs, or returns nil if it does not.
func differs(what, have, want string) []string {
	if have == want {
		return nil
	}
	if have == "" {
		have = "none"
	}
	return []string{fmt.Sprintf("%s: %s → %s", what, have, want)}
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// pick returns the options with the given IDs or names. Names are matched case-insensitively and must be unambiguous.
func pick(what string, names []string, options []Option) ([]Option, error) {
	var out []Option
	for _, n := range names {
		var found []Option
		for _, o := range options {
			if o.ID == n {
				found = []Option{o}
				break
			}
			if strings.EqualFold(strings.TrimSpace(o.Name), strings.TrimSpace(n)) {
				found = append(found, o)
			}
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("%w: %s %s called %q; there are %s", ErrChoice, english.Count(len(found), what), english.Is(len(found)), n, list(options))
		}
		if !slices.Contains(out, found[0]) {
			out = append(out, found[0])
		}
	}
	return out, nil
}

func list(options []Option) string {
	var names []string
	for _, o := range options {
		names = append(names, fmt.Sprintf("%s (%s)", o.Name, o.ID))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
