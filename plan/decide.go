package plan

import (
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// Action is what an archive does with an item.
type Action string

// The actions that Decide chooses from.
const (
	Copy Action = "copy"
	Skip Action = "skip" // keep a placeholder with its metadata and comments
	Wait Action = "wait" // until the original is back
	Fail Action = "fail"
)

// Decision says what to do with an item, given its original and the tenant's policy.
type Decision struct {
	Do        Action
	Rendition frameio.Rendition
	Why       string
}

// What people can do to get originals back. V4 itself archives nothing, so a missing link there has one of two causes,
// and Frame.io does not say which.
const (
	Unarchive        = "unarchive the project in Frame.io"
	UnarchiveOrAllow = "either the project was archived before the account migration to V4 (unarchive it in Frame.io), or the token's user lacks permission to download without a watermark (grant it in Frame.io)"
	AllowOrWait      = "either a restore from cold storage is still under way, or the token's user lacks permission to download without a watermark (grant it in Frame.io). Framebridge waits up to a day for each file"
)

const missingFor = 24 * time.Hour // how long to wait for an original with a missing link: restoring it from cold storage takes hours

// MayComeBack reports whether an original is worth waiting for.
func MayComeBack(it ledger.Item) bool {
	switch frameio.Original(it.Original) {
	case frameio.OriginalArchived:
		return true
	case frameio.OriginalMissing:
		return it.MissingSince.IsZero() || time.Since(it.MissingSince) < missingFor
	}
	return false
}

// NoteOriginal records what Frame.io now says about an original, and since when its link has been missing.
func NoteOriginal(it *ledger.Item, now frameio.Original) {
	switch {
	case now != frameio.OriginalMissing:
		it.MissingSince = time.Time{}
	case it.Original != string(now) || it.MissingSince.IsZero():
		it.MissingSince = time.Now().UTC()
	}
	it.Original = string(now)
}

// Decide returns what to do with an item under a policy, and why if it is not simply copied.
func Decide(policy config.Archive, from frameio.Reader, it ledger.Item) Decision {
	if it.Size > int64(policy.MaxFileSize) {
		return Decision{Do: Skip, Why: fmt.Sprintf("over the size limit: %d bytes, archive.max_file_size is %d", it.Size, int64(policy.MaxFileSize))}
	}
	var why string
	switch frameio.Original(it.Original) {
	case frameio.OriginalAvailable, "":
		return Decision{Do: Copy, Rendition: frameio.RenditionOriginal}
	case frameio.OriginalArchived:
		advice := Unarchive
		why = "the original is in Frame.io's cold storage"
		if !from.Capabilities().NativeArchive {
			why, advice = "Frame.io offers no download of the original", UnarchiveOrAllow
		}
		if policy.MissingOriginal == "wait" {
			return Decision{Do: Wait, Why: why + ": " + advice}
		}
	case frameio.OriginalMissing:
		why = "Frame.io offers no download of the original, although the project is not archived"
		switch {
		case policy.MissingOriginal != "wait":
		case MayComeBack(it):
			return Decision{Do: Wait, Why: why + ": " + AllowOrWait}
		default:
			why += ", and offered none within a day: the token's user probably lacks permission to download without a watermark"
		}
	case frameio.OriginalWatermarked:
		why = "Frame.io offers only a watermarked stream, not the original"
	case frameio.OriginalForbidden:
		why = "the token's user lacks permission to download the original"
	case frameio.OriginalNeverUploaded:
		return Decision{Do: Skip, Why: "the upload to Frame.io was never completed"}
	default:
		why = "no original: " + it.Original
	}
	switch {
	case policy.MissingOriginal == "proxy" && it.HasProxy:
		return Decision{Do: Copy, Rendition: frameio.RenditionProxy, Why: why + ": stored the proxy instead"}
	case policy.MissingOriginal == "fail":
		return Decision{Do: Fail, Why: why}
	}
	return Decision{Do: Skip, Why: why}
}
