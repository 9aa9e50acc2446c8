package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/starter/control"
)

// rowOf reads the row that the path's ID names. If it returns false, it has responded. An invalid ID counts as not found.
func rowOf[T any](s *Server, c *gin.Context, what string, valid func(id string) bool, get func(ctx context.Context, id string) (T, bool, error)) (row T, ok bool) {
	id := c.Param("id")
	if valid(id) {
		var err error
		if row, ok, err = get(c.Request.Context(), id); err != nil {
			s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
			return row, false
		}
	}
	if !ok {
		fail(c, http.StatusNotFound, "id", "no such "+what)
	}
	return row, ok
}

// answerRow responds with the view of a row.
func answerRow[T, V any](s *Server, c *gin.Context, row T, view func(context.Context, T) (V, error)) {
	v, err := view(c.Request.Context(), row)
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	c.JSON(http.StatusOK, v)
}

// answerPage responds with a page of rows, under the given name, and the cursor of the next page.
func answerPage[T, V any](s *Server, c *gin.Context, name string, page func(ctx context.Context, after string, limit int) ([]T, string, error), view func(context.Context, T) (V, error)) {
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	rows, next, err := page(c.Request.Context(), c.Query("cursor"), limit)
	if err != nil {
		s.listFailed(c, err)
		return
	}
	list := make([]V, len(rows))
	for i, row := range rows {
		if list[i], err = view(c.Request.Context(), row); err != nil {
			s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
			return
		}
	}
	c.JSON(http.StatusOK, gin.H{name: list, "next": textOrNull(next)})
}
