package mapping

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ExternalID returns the external ID of a Frame.io object in iconik: frameio:<kind>:<id>.
func ExternalID(kind, id string) string { return "frameio:" + kind + ":" + id }

// ParseExternalID splits an external ID. ours is false if it is not one of ours.
func ParseExternalID(s string) (kind, id string, ours bool) {
	rest, ok := strings.CutPrefix(s, "frameio:")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ":")
}

// isSeparator reports whether r may stand between a project's name and the suffix.
func isSeparator(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("-–—_:()[]{}", r)
}

// HasSuffix reports whether a project's name ends with the suffix as a separate word. Case matters.
func HasSuffix(name, suffix string) bool {
	_, ok := cutSuffix(name, suffix)
	return ok
}

// cutSuffix removes the suffix, and the closing brackets and white space after it. It compares in Unicode NFC, because a Mac may
// write é as e and an accent. The rest of the name it returns is in NFC, too.
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
	return before, !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) // a combining mark is part of its letter
}

// ProjectTitle returns a project's name without the suffix and the separators before it. A name that consists of nothing else is kept.
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

// Title returns name, or "Untitled" if it is blank: iconik requires a title, but Frame.io does not.
func Title(name string) string {
	if strings.TrimSpace(name) == "" {
		return "Untitled"
	}
	return name
}

// PathName makes a name safe as one element of a path: a slash becomes the division slash ∕, "." and ".." get full-width dots,
// and an empty name becomes "Untitled".
func PathName(name string) string {
	switch name {
	case "", ".", "..":
		return Title(strings.ReplaceAll(name, ".", "．"))
	}
	return strings.ReplaceAll(name, "/", "∕")
}

const maxFileName = 200 // bytes: storages and file systems allow 255, and iconik adds to the name

// SafeFileName returns a name that every storage accepts: no slash, backslash or control character, never . or .., and at most
// 200 bytes including its extension.
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

// cutName cuts a name to a number of bytes at a character boundary, and keeps its extension.
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
	// maxStorageDir leaves room for a file's name and what iconik puts before it (a prefix, a UUID) within the 1,024 bytes that
	// S3, GCS, B2 and Azure allow for a key.
	maxStorageDir = 900 - maxFileName - 1
	maxDirName    = 120 // of one name, if the path is still too long
)

// ParentPath returns the path of the folder that contains a file or folder, or "" at the top.
func ParentPath(path string) string {
	return path[:max(strings.LastIndexByte(path, '/'), 0)]
}

// StorageDir returns a directory in a storage: the names before the folders, the folders of a path, and last, which no other
// directory has. If the whole is too long, "…" replaces folders in the middle.
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

// SafePath makes each part of a path safe. Slashes separate folders; a slash within a name must already be ∕.
func SafePath(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = SafeFileName(parts[i])
	}
	return strings.Join(parts, "/")
}

// mediaTypes are the types of reviewed files by extension. If one is missing here, Frame.io goes by the file's name.
var mediaTypes = map[string]string{
	".mov": "video/quicktime", ".mp4": "video/mp4", ".m4v": "video/x-m4v", ".mxf": "application/mxf", ".avi": "video/x-msvideo", ".mkv": "video/x-matroska",
	".webm": "video/webm", ".mpg": "video/mpeg", ".ts": "video/mp2t", ".wav": "audio/x-wav", ".mp3": "audio/mpeg", ".aac": "audio/aac", ".aif": "audio/x-aiff",
	".m4a": "audio/mp4", ".flac": "audio/flac", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".tif": "image/tiff",
	".tiff": "image/tiff", ".psd": "image/vnd.adobe.photoshop", ".webp": "image/webp", ".pdf": "application/pdf",
}

// MediaType guesses a file's media type from its name. It returns "" if the extension is not known.
func MediaType(name string) string {
	return mediaTypes[strings.ToLower(path.Ext(name))]
}

// NameLike names a proxy after its asset: the title with the proxy's extension, or .mp4 if it has none.
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

const excerptLength = 60 // characters that let people recognize a comment

// Excerpt returns the beginning of a comment.
func Excerpt(text string) string {
	if r := []rune(text); len(r) > excerptLength {
		return string(r[:excerptLength]) + "…"
	}
	return text
}

// Renamed reports whether a file may have been given a name because another one had it already: the same beginning and extension.
func Renamed(name, is string) bool {
	ext := path.Ext(name)
	return name != "" && strings.HasPrefix(is, strings.TrimSuffix(name, ext)) && strings.HasSuffix(is, ext)
}
