package frameio

// All reads a listing to its end, each object once: a reply may come with its comment and again on a later page,
// pages shift while they are read, and a listing that heeds no page number gives the same one for ever.
func All[T any](id func(T) string, list func(cursor string) (Page[T], error)) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	for cursor, last := "", ""; ; {
		page, err := list(cursor)
		if err != nil {
			return nil, err
		}
		ids := ""
		for _, x := range page.Items {
			ids += id(x) + " "
			if !seen[id(x)] {
				seen[id(x)] = true
				all = append(all, x)
			}
		}
		if cursor = page.Next; cursor == "" || ids != "" && ids == last {
			return all, nil
		}
		last = ids
	}
}
