package mapping

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ExternalID is the name under which iconik knows a Frame.io object: frameio:<kind>:<id>.
func ExternalID(kind, id string) string { return "frameio:" + kind + ":" + id }

// ParseExternalID takes an external id apart; false when it is not one of ours.
func ParseExternalID(s string) (kind, id string, ours bool) {
	rest, ok := strings.CutPrefix(s, "frameio:")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ":")
}

// separators stand between a project's name and the suffix.
func isSeparator(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("-–—_:()[]{}", r)
}

// HasSuffix says that a project's name ends with the suffix as a word of its own; upper and lower case differ.
func HasSuffix(name, suffix string) bool {
	_, ok := cutSuffix(name, suffix)
	return ok
}

// cutSuffix cuts the suffix off, with the closing brackets and white space after it. Both are compared in one Unicode
// form: a Mac may write é as e and an accent. What is left of the name is in that form, too.
func cutSuffix(name, suffix string) (string, bool) {
	suffix = norm.NFC.String(strings.TrimSpace(suffix))
	trimmed := norm.NFC.String(strings.TrimFunc(name, unicode.IsSpace))
	if open := strings.TrimRightFunc(trimmed, func(r rune) bool { return strings.ContainsRune(")]}", r) || unicode.IsSpace(r) }); open != trimmed && strings.HasSuffix(open, suffix) {
		before := strings.TrimSuffix(open, suffix)
		if r, _ := utf8.DecodeLastRuneInString(before); strings.ContainsRune("([{", r) {
			trimmed = open
		}
	}
	before, ok := strings.CutSuffix(trimmed, suffix)
	if !ok || suffix == "" {
		return name, false
	}
	if before == "" {
		return "", true
	}
	r, _ := utf8.DecodeLastRuneInString(before)
	return before, !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) // a mark belongs to its letter
}

// ProjectTitle is a project's name without the suffix and the separators before it. A name that is nothing else stays.
func ProjectTitle(name, suffix string) string {
	before, ok := cutSuffix(name, suffix)
	if !ok {
		return strings.TrimSpace(name)
	}
	title := strings.TrimRightFunc(before, isSeparator)
	if title == "" {
		return strings.TrimSpace(name)
	}
	return strings.TrimSpace(title)
}

// Title is a name as iconik takes it: it wants one for everything, and Frame.io may have none.
func Title(name string) string {
	if strings.TrimSpace(name) == "" {
		return "Untitled"
	}
	return name
}

// PathName lets a name stand in a path, where it leads nowhere else: a slash within it becomes the division slash ∕, names of
// dots alone are written with wide ones, and an empty name is "Untitled".
func PathName(name string) string {
	switch name {
	case "", ".", "..":
		return Title(strings.ReplaceAll(name, ".", "．"))
	}
	return strings.ReplaceAll(name, "/", "∕")
}

const maxFileName = 200 // bytes: storages and file systems take 255, and iconik adds to the name

// SafeFileName is a name that every storage takes: no slash, backslash or control character, never . or .., at most
// 200 bytes, its extension kept.
func SafeFileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '\\':
			return '_'
		case unicode.IsControl(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if strings.Trim(name, ".") == "" {
		return "unnamed"
	}
	return cutName(name, maxFileName)
}

// cutName shortens a name to a number of bytes, between characters, and keeps its extension.
func cutName(name string, most int) string {
	if len(name) <= most {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	stem := name[:most-len(ext)]
	for !utf8.ValidString(stem) {
		stem = stem[:len(stem)-1]
	}
	return stem + ext
}

const (
	// maxStorageDir leaves a file's name and what iconik puts before it (a prefix, a UUID) their place within the 1,024
	// bytes that S3, GCS, B2 and Azure allow for a key.
	maxStorageDir = 900 - maxFileName - 1
	maxDirName    = 120 // of a name in a path that is too long all the same
)

// ParentPath is the path of what a file or folder lies in, empty for one at the top.
func ParentPath(path string) string {
	return path[:max(strings.LastIndexByte(path, '/'), 0)]
}

// StorageDir is a directory of a storage: the names before the folders, the folders of a path, and a last name that is
// no other directory's. Where the whole is too long, folders are left out in the middle, and "…" stands for them.
func StorageDir(before []string, folders, last string) string {
	var names []string
	for _, n := range before {
		names = append(names, SafeFileName(n))
	}
	var middle []string
	if folders != "" {
		middle = strings.Split(SafePath(folders), "/")
	}
	join := func(names, first, rest []string) string {
		all := append(append([]string{}, names...), first...)
		if len(first)+len(rest) < len(middle) {
			all = append(all, "…")
		}
		return strings.Join(append(append(all, rest...), last), "/")
	}
	for keep := len(middle); keep > 1; keep-- {
		if dir := join(names, middle[:(keep+1)/2], middle[len(middle)-keep/2:]); len(dir) <= maxStorageDir {
			return dir
		}
	}
	if dir := join(names, middle[:min(len(middle), 1)], nil); len(dir) <= maxStorageDir {
		return dir
	}
	for i := range names {
		names[i] = cutName(names[i], maxDirName)
	}
	for i := range middle {
		middle[i] = cutName(middle[i], maxDirName)
	}
	return join(names, middle[:min(len(middle), 1)], nil)
}

// SafePath makes each part of a path safe. Its slashes part folders; a slash within a name is ∕ already.
func SafePath(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = SafeFileName(parts[i])
	}
	return strings.Join(parts, "/")
}

// mediaTypes of what is reviewed, by extension. Frame.io goes by the name where one is missing here.
var mediaTypes = map[string]string{
	".mov": "video/quicktime", ".mp4": "video/mp4", ".m4v": "video/x-m4v", ".mxf": "application/mxf", ".avi": "video/x-msvideo", ".mkv": "video/x-matroska",
	".webm": "video/webm", ".mpg": "video/mpeg", ".ts": "video/mp2t", ".wav": "audio/x-wav", ".mp3": "audio/mpeg", ".aac": "audio/aac", ".aif": "audio/x-aiff",
	".m4a": "audio/mp4", ".flac": "audio/flac", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".tif": "image/tiff",
	".tiff": "image/tiff", ".psd": "image/vnd.adobe.photoshop", ".webp": "image/webp", ".pdf": "application/pdf",
}

// MediaType guesses a file's media type by its name; "" where it is not known.
func MediaType(name string) string {
	return mediaTypes[strings.ToLower(path.Ext(name))]
}

// NameLike names a proxy after its asset: the title with the proxy's extension.
func NameLike(title, file string) string {
	base := SafeFileName(title)
	if ext := path.Ext(base); MediaType(base) != "" {
		base = strings.TrimSuffix(base, ext)
	}
	if ext := path.Ext(file); ext != "" && ext != file {
		return base + ext
	}
	return base + ".mp4"
}

const excerptLength = 60 // characters of a comment, by which people find it

// Excerpt is the beginning of a comment.
func Excerpt(text string) string {
	if r := []rune(text); len(r) > excerptLength {
		return string(r[:excerptLength]) + "…"
	}
	return text
}
