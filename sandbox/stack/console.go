package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
)

// ConsoleLink asks the starter for a one-time link that signs in to the console, as an operator does at a terminal.
func (s *Stack) ConsoleLink(ctx context.Context) (string, error) {
	out, err := s.Command(ctx, "console", "--config", s.Config).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return "", fmt.Errorf("starter console: %s", strings.TrimSpace(string(exit.Stderr)))
		}
		return "", err
	}
	for _, word := range strings.Fields(string(out)) {
		if strings.HasPrefix(word, s.APIURL) {
			return word, nil
		}
	}
	return "", errors.New("starter console printed no link")
}

func (s *Stack) openConsole(w http.ResponseWriter, r *http.Request) {
	to, err := s.ConsoleLink(r.Context())
	if err != nil {
		to = "/?problem=" + url.QueryEscape(err.Error())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
