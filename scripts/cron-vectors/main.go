// Says when cron schedules are due, as the package behind Kubernetes' CronJobs computes it. Reads lines of JSON
// {"schedule": ..., "zone": ..., "after": RFC 3339} and writes for each the next three times, or fewer.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

type question struct {
	Schedule string `json:"schedule"`
	Zone     string `json:"zone"`
	After    string `json:"after"`
}

const times = 3

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		schedule, err := cron.ParseStandard("TZ=" + asked.Zone + " " + asked.Schedule)
		if err != nil {
			panic(fmt.Errorf("%s: %w", asked.Schedule, err))
		}
		at, err := time.Parse(time.RFC3339, asked.After)
		if err != nil {
			panic(err)
		}
		answer := []string{}
		for range times {
			at = schedule.Next(at)
			if at.IsZero() {
				break
			}
			answer = append(answer, at.UTC().Format(time.RFC3339))
		}
		text, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
}
