package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestASignedLinkIsHidden(t *testing.T) {
	link := "https://bridge.example.com/l/" + strings.Repeat("aB3_-", 20)
	assert.Equal(t, "mail with https://bridge.example.com/l/"+Hidden+"/comments.edl", Scrub("mail with "+link+"/comments.edl"))
	assert.Equal(t, "/l/short", Scrub("/l/short"))
}
