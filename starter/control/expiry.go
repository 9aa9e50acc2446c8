package control

import (
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/english"
)

// FieldError is a mistake in a form, worded for the person who filled it in.
type FieldError struct{ Field, Problem string }

func (e *FieldError) Error() string { return e.Problem }

// ParseExpiry parses a date, which means its end in UTC, or a date with a time. An empty text means now plus standard, or plus
// longest if that is shorter. longest limits how far ahead an expiry may be; 0 is no limit.
func ParseExpiry(text string, now time.Time, standard, longest time.Duration) (time.Time, *FieldError) {
	text = strings.TrimSpace(text)
	const field = "framebridge_expires"
	if text == "" {
		if longest > 0 {
			standard = min(standard, longest)
		}
		return now.Add(standard).UTC().Truncate(time.Second), nil
	}
	at, err := time.Parse("2006-01-02", text)
	if err == nil {
		at = at.Add(24*time.Hour - time.Second)
	} else {
		at, err = parseTime(text)
	}
	switch {
	case err != nil:
		return at, &FieldError{field, fmt.Sprintf("%q is not a date such as %s, or a date with time such as %sT18:00:00Z.", text, now.AddDate(0, 0, 14).Format("2006-01-02"), now.AddDate(0, 0, 14).Format("2006-01-02"))}
	case !at.After(now):
		return at, &FieldError{field, fmt.Sprintf("The expiry %s is in the past: choose a later one.", english.Minute(at))}
	case longest > 0 && at.After(now.Add(longest)):
		return at, &FieldError{field, fmt.Sprintf("The expiry %s is too late: the latest possible is %s.", english.Minute(at), english.Minute(now.Add(longest)))}
	}
	return at.UTC(), nil
}

// parseTime parses a date with a time, in UTC unless it has a zone.
func parseTime(text string) (at time.Time, err error) {
	for _, clock := range []string{"15:04:05.999999999", "15:04"} {
		for _, zone := range []string{"", "Z07:00", "Z0700"} {
			for _, between := range []string{"T", " "} {
				if at, err = time.Parse("2006-01-02"+between+clock+zone, text); err == nil {
					return at, nil
				}
			}
		}
	}
	return at, err
}
