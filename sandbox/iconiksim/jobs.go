package iconiksim

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

var (
	jobStates = []string{"READY", "STARTED", "FINISHED", "FINISHED_WITH_WARNING", "FAILED", "WAITING", "ABORT_PENDING", "ABORTED", "SKIPPED", "PAUSED", "PENDING_USER", "DISCARDED"}
	jobTypes  = strings.Fields("MEDIAINFO TRANSCODE KEYFRAMES EXPORT DELETE REINDEX MOVE TRANSFER ANALYZE METADATA CUSTOM SCAN ARCHIVE RESTORE RESTORE_FROM_GLACIER ACL COPY TRANSCRIPTION")
	stepState = []string{"IN_PROGRESS", "WAITING", "FAILED", "DONE", "SKIPPED"}
)

func newJob(user string) doc {
	return doc{"id": newID(), "title": "", "type": "", "custom_type": nil, "status": "READY", "object_type": nil, "object_id": nil, "parent_id": nil, "priority": 5, "progress": 0,
		"progress_processed": 0, "progress_total": nil, "children_progress": doc{}, "has_children": false, "steps": []doc{}, "related_objects": []any{}, "metadata": doc{},
		"message": nil, "error_message": nil, "action_context": nil, "job_context": nil, "created_by": user, "started_at": nil, "completed_at": nil, "date_created": now(), "date_modified": now()}
}

const jobWritable = "title type custom_type status object_type object_id parent_id message error_message progress_processed progress_total metadata related_objects action_context job_context started_at completed_at"

func wrongJob(b doc) (field, message string) {
	if !oneOf(b, "status", jobStates...) {
		return "status", "Must be one of: " + strings.Join(jobStates, ", ")
	}
	if !oneOf(b, "type", jobTypes...) {
		return "type", "Must be one of: " + strings.Join(jobTypes, ", ")
	}
	for _, st := range docs(b["steps"]) {
		if text(st, "label") == "" || !oneOf(st, "status", stepState...) || text(st, "status") == "" {
			return "steps", "label and status are required; status must be one of: " + strings.Join(stepState, ", ")
		}
	}
	return "", ""
}

func (s *Sim) jobRoutes() {
	s.on("POST jobs/v1/jobs", func(c *call) (int, any) {
		if f := required(c.body, "title", "type", "status"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		if f, m := wrongJob(c.body); f != "" {
			return invalid(f, m)
		}
		d := newJob(c.user)
		take(d, c.body, strings.Fields(jobWritable)...)
		d["steps"] = mergeSteps(nil, docs(c.body["steps"]))
		setProgress(d)
		s.put(kJob, d)
		return 201, d
	})
	s.on("GET jobs/v1/jobs", s.listJobs)
	s.on("GET jobs/v1/jobs/{id}", func(c *call) (int, any) {
		d, ok := s.get(kJob, c.id("id"))
		if !ok {
			return notFound("Job")
		}
		return 200, d
	})
	s.on("PATCH jobs/v1/jobs/{id}", s.editJob)
	s.on("PUT jobs/v1/jobs/{id}", s.editJob)
	s.on("PATCH jobs/v1/jobs/{id}/steps", func(c *call) (int, any) {
		if _, ok := s.get(kJob, c.id("id")); !ok {
			return notFound("Job")
		}
		if f, m := wrongJob(c.body); f != "" {
			return invalid(f, m)
		}
		for _, st := range docs(c.body["steps"]) {
			if text(st, "id") == "" {
				return invalid("steps", "id: Missing data for required field.")
			}
		}
		return 200, s.set(kJob, c.id("id"), func(d doc) { d["steps"] = mergeSteps(docs(d["steps"]), docs(c.body["steps"])) })
	})
	s.on("PUT jobs/v1/jobs/state", func(c *call) (int, any) {
		if !oneOf(c.body, "action", "PAUSE", "RESUME", "ABORT", "RESTART") || text(c.body, "action") == "" {
			return invalid("action", "Must be one of: PAUSE, RESUME, ABORT, RESTART")
		}
		ids := texts(c.body["job_ids"])
		if len(ids) > 500 {
			return invalid("job_ids", "Longer than maximum length 500.")
		}
		for _, id := range ids {
			if _, ok := s.get(kJob, id); !ok {
				return notFound("Job")
			}
			s.press(id, text(c.body, "action"))
		}
		return 200, doc{}
	})
}

func (s *Sim) editJob(c *call) (int, any) {
	d, ok := s.get(kJob, c.id("id"))
	if !ok {
		return notFound("Job")
	}
	if f, m := wrongJob(c.body); f != "" {
		return invalid(f, m)
	}
	return 200, s.set(kJob, c.id("id"), func(n doc) {
		take(n, c.body, strings.Fields(jobWritable)...)
		if text(d, "status") == "ABORT_PENDING" && !slices.Contains([]string{"ABORTED", "FINISHED", "FINISHED_WITH_WARNING", "FAILED"}, text(n, "status")) {
			n["status"] = "ABORT_PENDING"
		}
		if _, ok := c.body["steps"]; ok {
			n["steps"] = mergeSteps(docs(n["steps"]), docs(c.body["steps"]))
		}
		setProgress(n)
	})
}

func (s *Sim) listJobs(c *call) (int, any) {
	var rows []doc
	ids := s.order[kJob]
	if o := c.q.Get("object_id"); o != "" {
		ids = s.kids[kJob+"/"+o]
	}
	for _, id := range slices.Backward(ids) {
		d := s.indexed(kJob, id)
		if d == nil {
			continue
		}
		fits := true
		for _, f := range []string{"type", "object_type", "object_id", "parent_id", "status", "created_by"} {
			if v := c.q.Get(f); v != "" && text(d, f) != v {
				fits = false
			}
		}
		if fits {
			rows = append(rows, d)
		}
	}
	return page(c, rows, 100, same)
}

func setProgress(d doc) {
	done, _ := number(d["progress_processed"])
	total, ok := number(d["progress_total"])
	if !ok || total <= 0 {
		total = 100
	}
	d["progress"] = int(min(100, 100*done/total))
}

func orNew(id string) string {
	if id == "" {
		return newID()
	}
	return id
}

// mergeSteps updates the steps that have a known id and adds the others.
func mergeSteps(have, given []doc) []doc {
	out := slices.Clone(have)
	for _, g := range given {
		i := slices.IndexFunc(out, func(d doc) bool { return text(g, "id") != "" && text(d, "id") == text(g, "id") })
		n := doc{"id": orNew(text(g, "id")), "label": nil, "status": nil, "message": nil, "error_message": nil}
		if i >= 0 {
			n = maps.Clone(out[i])
		}
		take(n, g, "label", "status", "message", "error_message")
		n["date_updated"] = now()
		if i >= 0 {
			out[i] = n
		} else {
			out = append(out, n)
		}
	}
	if out == nil {
		return []doc{}
	}
	return out
}

// press presses a button of a job. It calls the service behind the button if the job names one. The caller must hold the lock.
func (s *Sim) press(id, action string) {
	d, _ := s.get(kJob, id)
	if action == "ABORT" && !slices.Contains([]string{"FINISHED", "FINISHED_WITH_WARNING", "FAILED", "ABORTED", "SKIPPED"}, text(d, "status")) {
		s.set(kJob, id, func(d doc) { d["status"] = "ABORT_PENDING" })
	}
	actions, _ := d["action_context"].(doc)
	target, _ := actions[action].(doc)
	if u := text(target, "url"); u != "" {
		s.wait.Add(1)
		go func() {
			defer s.wait.Done()
			resp, err := s.client.Post(u, "application/json", bytes.NewReader([]byte("{}")))
			if err == nil {
				_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
				resp.Body.Close()
			}
		}()
	}
}

// Press clicks a job's button: ABORT, RESTART, PAUSE or RESUME.
func (s *Sim) Press(job, action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.get(kJob, job); ok {
		s.press(job, action)
	}
}

func pathRequest(name, value string) *http.Request {
	r := &http.Request{}
	r.SetPathValue(name, value)
	return r
}
