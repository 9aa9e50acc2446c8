package notify

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/framebridge/framebridge/english"
)

//go:embed mail.html
var mailSource string

var mailPage = template.Must(template.New("mail").Parse(mailSource))

type (
	mailBody struct {
		Title  string
		Color  template.CSS
		Blocks []mailBlock
	}
	// mailBlock is a paragraph or a table.
	mailBlock struct {
		Lines []mailLine
		Rows  []mailLine
	}
	mailLine struct {
		Name  string
		Parts []mailPart
	}
	mailPart struct{ Text, URL string }
)

var (
	labeled = regexp.MustCompile(`^([A-Z][\w. ]{1,24}):\s{1,24}(\S.*)$`)
	address = regexp.MustCompile(`https?://[^\s<>"]+`)
)

// HTML returns a mail's text as an HTML page with the same words, in which lines of the form "Name: value" become a table.
// It loads nothing from elsewhere.
func HTML(subject, text string) (string, error) {
	b := mailBody{Title: subject, Color: color(subject)}
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		var block mailBlock
		flush := func() {
			if len(block.Lines)+len(block.Rows) > 0 {
				b.Blocks = append(b.Blocks, block)
			}
			block = mailBlock{}
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			m := labeled.FindStringSubmatch(line)
			switch {
			case strings.TrimSpace(line) == "":
			case m != nil:
				if len(block.Lines) > 0 {
					flush()
				}
				block.Rows = append(block.Rows, mailLine{Name: m[1], Parts: parts(m[2])})
			default:
				if len(block.Rows) > 0 {
					flush()
				}
				block.Lines = append(block.Lines, mailLine{Parts: parts(line)})
			}
		}
		flush()
	}
	var out bytes.Buffer
	err := mailPage.Execute(&out, b)
	return out.String(), err
}

func color(subject string) template.CSS {
	switch {
	case strings.HasPrefix(subject, "Action needed"), strings.HasPrefix(subject, "ERROR"), strings.HasPrefix(subject, "Sign in"), strings.Contains(subject, "failed"):
		return "#b3261e"
	case strings.HasPrefix(subject, "Done"):
		return "#1b6e3c"
	}
	return "#1f4e8c"
}

// parts splits a line into text and links. The text of a link omits its signature.
func parts(line string) []mailPart {
	var out []mailPart
	for {
		at := address.FindStringIndex(line)
		if at == nil {
			break
		}
		link := strings.TrimRight(line[at[0]:at[1]], ".,;)")
		if at[0] > 0 {
			out = append(out, mailPart{Text: line[:at[0]]})
		}
		out = append(out, mailPart{Text: shown(link), URL: link})
		line = line[at[0]+len(link):]
	}
	if line != "" {
		out = append(out, mailPart{Text: line})
	}
	return out
}

func shown(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	return english.Shorten(strings.TrimSuffix(u.Host+u.Path, "/"), 48)
}
