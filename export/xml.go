package export

import (
	"encoding/xml"
	"io"
)

// writeXML writes a document with its document type.
func writeXML(w io.Writer, doctype string, v any) error {
	if _, err := io.WriteString(w, xml.Header+"<!DOCTYPE "+doctype+">\n"); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
