package vitrine

import (
	"fmt"
	"sync"

	"github.com/vitrine-tls/vitrine/keylog"
)

// keyLogging keeps lines whole: several connections often share a KeyLogWriter.
var keyLogging sync.Mutex

// logKey writes a line of the key log. See RFC 9850 §2.
func (c *Config) logKey(l keylog.Line) error {
	keyLogging.Lock()
	defer keyLogging.Unlock()
	if _, err := c.KeyLogWriter.Write(l.Append(nil)); err != nil {
		return fmt.Errorf("vitrine: Config.KeyLogWriter: %w", err)
	}
	return nil
}
