package report

import (
	"errors"
	"io"
	"slices"
)

// ChainFile is the name of the file that chains the hash lists of an archive's runs.
const ChainFile = "ascmhl_chain.xml"

// ErrNoChain is returned if no run has ended with a hash list yet.
var ErrNoChain = errors.New("there is no chain yet: each run writes one at its end, with its hash list")

// Form is a format in which the report is served.
type Form struct {
	File, Title, MediaType string
	Render                 func(io.Writer, *Report) error
}

// Forms are all forms, the one for people first.
var Forms = []Form{
	{"report.html", "Report", "text/html; charset=utf-8", HTML},
	{"report.csv", "CSV", "text/csv; charset=utf-8", CSV},
	{"report.json", "JSON", "application/json", JSON},
	{"report.mhl", "ASC MHL hash list", "application/xml", MHL},
	{ChainFile, "ASC MHL chain", "application/xml", Chain},
}

// FormOf returns the form with a file name, or false if there is none.
func FormOf(file string) (Form, bool) {
	i := slices.IndexFunc(Forms, func(f Form) bool { return f.File == file })
	if i < 0 {
		return Form{}, false
	}
	return Forms[i], true
}

// Name returns the name under which the report's file is saved. It returns ErrNoChain if there is no chain yet.
func (f Form) Name(r *Report) (string, error) {
	switch f.File {
	case ChainFile:
		if len(r.Generations) == 0 {
			return "", ErrNoChain
		}
		return ChainFile, nil
	case "report.mhl":
		err := r.stand()
		return r.MHLFile(), err // the name in the chain
	}
	return r.Archive.ID + "-" + f.File, nil
}
