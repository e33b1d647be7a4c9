package mcpclient

import (
	"encoding/json"
	"fmt"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnswersHaveTheContractsForm(t *testing.T) {
	result := func(text, structured string, isError bool) string {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"content":[{"type":"text","text":%s}],"structuredContent":%s,"isError":%v}`, quoted, structured, isError)
	}
	same := func(object string, isError bool) string { return result(object, object, isError) }
	for _, c := range []struct {
		name, raw string
		good      bool
	}{
		{"success", same(`{"status":"ok","phone_id":"a"}`, false), true},
		{"failure", same(`{"status":"error","error":"no such phone"}`, true), true},
		{"a finding is no failure", same(`{"status":"error","issues":[{"kind":"x"}]}`, false), true},
		{"reading tools need no status", same(`{"phones":[],"total_count":0}`, false), true},
		{"text is prose", result("done", `{}`, false), false},
		{"text and structure differ", result(`{"status":"ok"}`, `{"status":"ok","more":1}`, false), false},
		{"no structure", `{"content":[{"type":"text","text":"{\"status\":\"ok\"}"}]}`, false},
		{"two items", `{"content":[{"type":"text","text":"{}"},{"type":"text","text":"{}"}],"structuredContent":{}}`, false},
		{"isError with status ok", same(`{"status":"ok"}`, true), false},
		{"isError without a sentence", same(`{"status":"error"}`, true), false},
		{"status error without isError", same(`{"status":"error","error":"x"}`, false), false},
	} {
		if _, err := parseAnswer(json.RawMessage(c.raw)); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFieldsThatAreMissingDoNotReadAsZero(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Int of null gives a number")
		}
	}()
	part(map[string]any{"call_id": nil}).Int("call_id")
}
