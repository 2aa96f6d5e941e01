package privilege_test

import (
	"fmt"

	"github.com/tunscript/tunscript/internal/privilege"
)

// A process that has opened all it needs becomes somebody else, and keeps one folder.
func Example() {
	_ = func() error {
		id, err := privilege.Find("nobody", "")
		if err != nil {
			return err
		}
		if err := privilege.Drop(id); err != nil {
			return err
		}
		return privilege.Confine(privilege.Files{Read: []string{"/etc/tunscript"}})
	}
	id, err := privilege.Find("0", "")
	fmt.Println(id.UID, id.GID, err)
	// Output: 0 0 <nil>
}
