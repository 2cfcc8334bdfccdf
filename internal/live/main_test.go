package live_test

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/rig"
)

// No connection may outlive its test.
func TestMain(m *testing.M) { rig.Main(m) }
