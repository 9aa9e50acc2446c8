package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARequestNamesTheFieldAtFault(t *testing.T) {
	for body, field := range map[string]string{
		`{}`: "",
		`{"selection":{"name":"Spring *"},"canary":2,"projects_in_parallel":4,"windows":[{"days":"mon-fri","from":"20:00","to":"06:00","zone":"Europe/Berlin","bandwidth":"100MiB"}]}`: "",
		`{"selection":{"status":"gone"}}`:                                "selection.status",
		`{"canary":-1}`:                                                  "canary",
		`{"projects_in_parallel":51}`:                                    "projects_in_parallel",
		`{"windows":[{"from":"20:00","to":"26:00"}]}`:                    "windows.0.to",
		`{"windows":[{"from":"20:00","to":"06:00","bandwidth":"none"}]}`: "windows.0.bandwidth",
		`{"windows":[` + strings.Repeat(`{"from":"20:00","to":"06:00"},`, 100) + `{"from":"20:00","to":"06:00"}]}`: "windows",
	} {
		r, err := ReadRequest([]byte(body))
		require.NoError(t, err, body)
		err = r.Validate()
		if field == "" {
			assert.NoError(t, err, body)
			continue
		}
		var at *FieldError
		require.ErrorAs(t, err, &at, body)
		assert.Equal(t, field, at.Field, body)
	}
}
