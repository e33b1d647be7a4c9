package phonev1_test

import (
	"os/exec"
	"testing"
)

func TestGeneratedCodeIsUpToDate(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "run", "ringmaster/tools/protogen", "-check", "phone.proto").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
