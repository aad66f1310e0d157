package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// lore is what has been said before anything else: what newcomers read first.
var lore = []scene{
	{ops, []line{
		{who: "kim", text: "**Runbook: disk full on a database host**\n1. `df -h` and `du -x --max-depth=2 /var/lib/postgresql`\n2. Is WAL archiving alive? `select * from pg_stat_archiver;`\n3. Never delete from `pg_wal` by hand\n4. Ask Platform before you resize: @@platform", pinned: true, signs: []string{"🙏 mei rafael", "👍 ada jonas"}},
		{who: "mei", text: "number 3 should be in red", reply: true, signs: []string{"😄 kim jonas"}},
		{who: "jonas", text: "added to the wiki as well, with the story of why", reply: true},
	}},
	{leads, []line{
		{who: "noor", text: "Priya is away in the second week of the month. Who takes payments at night? @ada"},
		{who: "ada", text: "Rafael has offered, if he gets the Friday after it off", signs: []string{"👍 noor kim"}},
		{who: "kim", text: "fine with me, I put it into the rota"},
	}},
	{direct, []line{
		{who: "kim", text: "do you have ten minutes for the postmortem draft today?"},
		{who: "ada", text: "after lunch, yes"},
		{who: "kim", text: "perfect, it is short: we were lucky, and the fail-over was not automatic"},
	}},
}

// recent is what was said in the hour before somebody looks at the demo.
var recent = []scene{
	{ops, []line{
		{who: "priya", text: "!oncall"},
		{who: "jonas", text: "state of the replicas after the failover, measured just now\n\n| host | role | lag | disk |\n| --- | --- | ---: | ---: |\n| db01 | primary | – | 61 % |\n| db02 | replica | 0.2 s | 58 % |\n| db03 | replica | 14 s | 57 % |", edited: "state of the replicas after the failover, measured just now\n\n| host | role | lag | disk |\n| --- | --- | ---: | ---: |\n| db01 | primary | – | 61 % |\n| db02 | replica | 0.2 s | 58 % |\n| db03 | replica | 1.4 s | 57 % |", signs: []string{"🎉 kim priya"}},
		{who: "mei", text: "db03 had a slow disk for an hour, it is catching up"},
		{who: "kim", text: "this is how db01 looked in the night, for the postmortem", file: "db01-disk.png", signs: []string{"👀 mei jonas"}},
		{who: "kim", text: "!remind in 12m look at the lag of db03"},
	}},
	{deploys, []line{
		{who: "rafael", text: "!deploy search staging 2.8.0"},
		{who: "rafael", text: "settlements 4.12 read a key that only staging has. The fix:\n```go\nkey, ok := cfg.Lookup(\"settlements.batch_key\")\nif !ok {\n\treturn fmt.Errorf(\"settlements.batch_key is not set in %s\", cfg.Env)\n}\n```", signs: []string{"👍 noor"}},
		{who: "noor", text: "looks right. Please add it to the check that CI runs, too"},
		{who: "rafael", text: "here is what the consumers said when they died", file: "consumers.log"},
		{who: "rafael", text: "@ada 4.12.1 is ready for production, I need a second pair of eyes in a moment"},
	}},
	{leads, []line{
		{who: "noor", text: "@ada two pages at night for payments this week. One more and I want to talk about the thresholds"},
		{who: "kim", text: "same feeling in platform: db01 is 4 of 9"},
	}},
	{direct, []line{
		{who: "kim", text: "the draft is ready. I tied the messages to the incident, so the timeline wrote itself"},
	}},
}

// chatter is said again and again, as long as somebody looks.
var chatter = []scene{
	{ops, []line{
		{who: "mei", text: "who has search tonight?"},
		{who: "mei", text: "!oncall search"},
		{who: "priya", text: "me until the morning, then you", signs: []string{"👍 mei"}},
	}},
	{ops, []line{
		{who: "jonas", text: "!incidents"},
		{who: "jonas", text: "quieter than last week :tada:", signs: []string{"🎉 kim"}},
	}},
	{ops, []line{
		{who: "noor", text: "the card provider announced maintenance for Sunday, 02:00 to 04:00 UTC"},
		{who: "rafael", text: "I plan a window, so that it pages nobody", reply: true, signs: []string{"🙏 noor"}},
		{who: "noor", text: "and a note for support, they ask every time", reply: true},
	}},
	{ops, []line{
		{who: "kim", text: "handing over platform: nothing open but the certificate, renewal runs at 06:00"},
		{who: "jonas", text: "got it, thanks", signs: []string{"👋 kim"}},
	}},
	{deploys, []line{
		{who: "jonas", text: "shop 7.31.0 is on staging for an hour, error rate as before"},
		{who: "kim", text: "p99 too? the last one was slow only after the caches were cold", reply: true},
		{who: "jonas", text: "212 ms, it was 208", reply: true, edited: "212 ms, it was 208 before", signs: []string{"🚀 kim mei"}},
	}},
	{deploys, []line{
		{who: "mei", text: "rolling back is\n```sh\nkubectl rollout undo deploy/search --to-revision=41\n```\nand takes 40 seconds, I tried it"},
		{who: "priya", text: "good to know *before* we need it", signs: []string{"😄 mei jonas"}},
	}},
	{ops, []line{
		{who: "priya", text: "the reindex of search is through, 41 minutes instead of 70", signs: []string{"🚀 mei jonas"}},
	}},
	{ops, []line{
		{who: "rafael", text: "does anybody still need the old queue exporter? It has been silent since March"},
		{who: "kim", text: "no, the new one has all of it", reply: true},
		{who: "rafael", text: "then it goes today", reply: true, signs: []string{"👍 kim"}},
	}},
	{deploys, []line{
		{who: "noor", text: "settlements are frozen from 22:00 UTC until the books are closed"},
		{who: "rafael", text: "noted", signs: []string{"👍 noor"}},
	}},
	{ops, []line{
		{who: "mei", text: "the game day found two alerts without a runbook: `queue/settlements` and `cert/www`"},
		{who: "noor", text: "I write the first", reply: true},
		{who: "jonas", text: "and I the second", reply: true, signs: []string{"🙏 mei"}},
	}},
	{deploys, []line{
		{who: "jonas", text: "the build of shop takes 6 minutes again, it was 11. The cache had never been read"},
		{who: "mei", text: "thank you!", reply: true},
	}},
}

// tried is a deploy that nobody has to approve.
var tried = scene{deploys, []line{
	{who: "mei", text: "!deploy search staging 2.8.1"},
	{who: "mei", text: "synonyms are in this one, please have a look", signs: []string{"👀 priya"}},
}}

// files are what is shown in messages, by name.
var files = map[string]func() io.Reader{
	"db01-disk.png": graph,
	"consumers.log": func() io.Reader {
		return strings.NewReader(strings.Repeat(`14:05:11 INFO  settlements 4.12.0 starting, env=prod
14:05:11 INFO  connected to mq-2, queue=settlements, prefetch=50
14:05:12 ERROR read settlements.batch_key: key is not set
14:05:12 FATAL exit status 1, restart in 10s
`, 6))
	},
}

// graph draws how the disk filled and was freed.
func graph() io.Reader {
	const wide, high = 720, 260
	img := image.NewPaletted(image.Rect(0, 0, wide, high), color.Palette{
		color.RGBA{0xf7, 0xf8, 0xfa, 0xff}, color.RGBA{0xdd, 0xe1, 0xe8, 0xff}, color.RGBA{0x9c, 0xc2, 0xf0, 0xff},
		color.RGBA{0x2f, 0x6f, 0xc4, 0xff}, color.RGBA{0xd6, 0x3b, 0x3b, 0xff},
	})
	for x := range wide {
		full := 58 + x*37/480 + (x*7%13)/5 // percent
		if x > 480 {
			full = max(61, 95-(x-480)*2/5)
		}
		top := high - full*high/105
		for y := range high {
			switch {
			case y >= top && y < top+3:
				img.SetColorIndex(x, y, 3)
			case y > top:
				img.SetColorIndex(x, y, 2)
			case y == high-90*high/105 && x%8 < 5: // from here on it pages
				img.SetColorIndex(x, y, 4)
			case y%52 == 0:
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // to memory, and of a size that fits
	return &b
}

// rules are those of commands in this house.
const rules = `# whoever deploys to production needs a yes of somebody else
require approval(admins, peer) for deploy when env == "prod"
`

// deployManifest and deployScript are a command of the house's own.
const (
	deployManifest = `words: deploy
summary: Deploys an application, pretending.
risk: change
output: lines
dry_run: true
lock: deploy/{app}/{env}
args:
  - {name: app, required: true, pattern: "[a-z][a-z0-9-]*", summary: which application}
  - {name: env, type: enum, values: [staging, prod], default: staging, summary: where to}
  - {name: version, pattern: "[A-Za-z0-9._-]+", summary: which version}
scope: app
examples: [deploy shop, deploy shop prod 7.31.0]
`
	deployScript = `#!/bin/sh
for host in 1 2 3; do
	echo "{\"type\":\"progress\",\"percent\":$((host * 33 - 20)),\"text\":\"$1-$host\"}"
	[ -n "$CHATOPS_DRY_RUN" ] || sleep 1
done
echo "{\"type\":\"result\",\"text\":\"**$1 ${3:-latest}** runs on 3 hosts in $2\"}"
`
)

// Commands writes the house's own commands into a folder.
func Commands(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "deploy.yaml"), []byte(deployManifest), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "deploy.sh"), []byte(deployScript), 0o700) //nolint:gosec // it is to be run
}
