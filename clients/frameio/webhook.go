package frameio

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureTolerance is how far a webhook's timestamp may be from now, in either direction.
const SignatureTolerance = 5 * time.Minute

// Errors of VerifySignature.
var (
	ErrSignature = errors.New("the signature does not match: is the webhook's secret in frameio.webhook_secrets?")
	ErrStale     = errors.New("the timestamp is missing or more than 5 minutes from now")
)

// VerifySignature checks a webhook or custom action of either generation: HMAC-SHA256 over "v0:<timestamp>:<raw body>" with one
// of the secrets. Several are valid while one is being rotated. Only one spelling of a signature is valid, because replayed
// deliveries are recognized by it.
func VerifySignature(secrets []string, timestamp, signature string, body []byte, now time.Time) error {
	sec, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrStale
	}
	if d := now.Sub(time.Unix(sec, 0)); d > SignatureTolerance || d < -SignatureTolerance {
		return ErrStale
	}
	valid := false
	for _, secret := range secrets {
		if secret != "" && hmac.Equal([]byte(signature), []byte(Sign(secret, timestamp, body))) {
			valid = true
		}
	}
	if !valid {
		return ErrSignature
	}
	return nil
}

// Sign returns the value of the signature header, computed as Frame.io does.
func Sign(secret, timestamp string, body []byte) string {
	return "v0=" + hex.EncodeToString(mac(secret, timestamp, body))
}

func mac(secret, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("v0:" + timestamp + ":"))
	h.Write(body)
	return h.Sum(nil)
}

// Event is a webhook's body. It contains only IDs and is a hint: what has happened must be read from the API.
type Event struct {
	Type         string // project.updated, comment.created, …
	ResourceType string
	ResourceID   string
	ProjectID    string // for project events the resource, if Frame.io sends no project
	TeamID       string // team or workspace
	AccountID    string
	UserID       string
}

// ParseEvent parses a webhook's body and ignores what it does not know.
func ParseEvent(body []byte) (Event, error) {
	type id struct {
		ID string `json:"id"`
	}
	var v struct {
		Type     string `json:"type"`
		Resource struct {
			ID   string `json:"id"`
			Type string `json:"type"`
		} `json:"resource"`
		Project, Team, Workspace, Account, User id
	}
	var kind *json.UnmarshalTypeError
	if err := json.Unmarshal(body, &v); errors.As(err, &kind) && kind.Field != "" {
		return Event{}, fmt.Errorf("the body is not a Frame.io event: %s cannot be of the type %s", kind.Field, kind.Value)
	} else if err != nil {
		return Event{}, errors.New("the body is not a Frame.io event: it is not a JSON object")
	}
	if v.Type == "" || v.Resource.ID == "" {
		return Event{}, errors.New("the body is not a Frame.io event: type and resource.id are missing")
	}
	e := Event{Type: v.Type, ResourceType: v.Resource.Type, ResourceID: v.Resource.ID, ProjectID: v.Project.ID,
		TeamID: v.Team.ID, AccountID: v.Account.ID, UserID: v.User.ID}
	if e.TeamID == "" {
		e.TeamID = v.Workspace.ID
	}
	if e.ProjectID == "" && strings.HasPrefix(e.Type, "project.") {
		e.ProjectID = e.ResourceID
	}
	return e, nil
}
