package frameiosim

import (
	"net/http"
	"strconv"
)

// rates are the vendor's limits, as calls and milliseconds. The last line is for everything else.
var rates = map[string][2]float64{
	"GET /v2/assets/{id}/children":  {40, 60_000},
	"GET /v2/assets/{id}":           {5, 1_000},
	"PUT /v2/assets/{id}":           {10, 1_000},
	"POST /v2/assets/{id}/children": {5, 1_000},
	"":                              {100, 60_000},
}

func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"code": status, "message": message,
		"errors": []any{map[string]any{"code": status, "status": status, "title": http.StatusText(status), "detail": message}}})
}

// list answers with one page of rows. It calls row only for that page.
func (s *Sim) list(w http.ResponseWriter, r *http.Request, n int, row func(i int) any) {
	q := r.URL.Query()
	page, size := 1, 50
	if v, err := strconv.Atoi(q.Get("page")); err == nil && v > 0 {
		page = v
	}
	if v, err := strconv.Atoi(q.Get("page_size")); err == nil && v > 0 {
		size = min(v, s.o.MaxPage)
	}
	from, to := min((page-1)*size, n), min(page*size, n)
	rows := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, row(i))
	}
	h := w.Header()
	h.Set("page-number", strconv.Itoa(page))
	h.Set("per-page", strconv.Itoa(size))
	h.Set("total-pages", strconv.Itoa(max((n+size-1)/size, 1)))
	h.Set("total", strconv.Itoa(n))
	answer(w, http.StatusOK, rows)
}

func notFound(w http.ResponseWriter) {
	fail(w, http.StatusNotFound, "Could not find the requested resource")
}
