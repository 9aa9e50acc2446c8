package setup

import (
	"fmt"
	"io"
	"strings"
)

var signs = map[Op]string{Create: "+", Update: "~", Enable: "~", Replace: "~", Keep: "=", Remove: "-"}

var kindNames = map[Kind]string{FrameioWebhook: "webhook", FrameioAction: "action", IconikField: "field", IconikView: "view", IconikAction: "action", IconikWebhook: "webhook"}

// Print writes the differences for people, by vendor and place. What is kept is only counted.
func (p *Plan) Print(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", or(p.Name, "Tenant"), p.Tenant)
	last := ""
	for _, c := range p.Changes {
		if c.Op == Keep && c.Note == "" {
			continue
		}
		head := c.Vendor
		if c.Vendor == vendorFrameio {
			head += ", workspace " + c.Where
		}
		if head != last {
			fmt.Fprintf(&b, "\n%s\n", head)
			last = head
		}
		fmt.Fprintf(&b, "  %s %-7s  %s\n", signs[c.Op], c.Op, c.Title())
		for _, d := range c.Details {
			fmt.Fprintf(&b, "                 %s\n", d)
		}
		if c.Note != "" {
			fmt.Fprintf(&b, "               ! %s\n", c.Note)
		}
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "\n! %s\n", n)
	}
	fmt.Fprintf(&b, "\n%s\n", p.Summary())
	_, err := io.WriteString(out, b.String())
	return err
}

// Title names a change's object for people.
func (c Change) Title() string {
	title := kindNames[c.Kind] + " " + c.Name
	if c.Vendor == vendorIconik && c.Where != "" {
		title += " (" + c.Where + ")"
	}
	return title
}

// Summary counts the changes in one line.
func (p *Plan) Summary() string {
	counts := map[Op]int{}
	for _, c := range p.Changes {
		counts[c.Op]++
	}
	var parts []string
	for _, op := range []Op{Create, Update, Enable, Replace, Remove} {
		if counts[op] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", counts[op], op))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("Nothing to change: all %d are set up correctly.", counts[Keep])
	}
	return strings.Join(append(parts, fmt.Sprintf("%d to keep", counts[Keep])), ", ") + "."
}
