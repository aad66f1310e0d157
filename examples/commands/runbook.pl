#!/usr/bin/perl
# runbook TOPIC: finds the pages of a folder that mention all the words, shows the
# best one's beginning and attaches it. With --chatops-manifest it prints its own
# manifest, as a program without a file beside it does; see docs/commands-own.md.
use strict;
use warnings;
use JSON::PP;

if (@ARGV && $ARGV[0] eq '--chatops-manifest') {
    print <<'END';
words: runbook
summary: Finds a page of the runbook and attaches it.
risk: read
output: lines
timeout: 10s
args:
  - name: topic
    type: rest
    required: true
    summary: words that the page mentions
settings:
  RUNBOOKS: /srv/runbooks
examples:
  - runbook disk full
END
    exit 0;
}

my $json = JSON::PP->new->utf8->canonical;
sub say_line { print $json->encode({@_}), "\n" }

my $request = $json->decode(do { local $/; <STDIN> });
my @words = split ' ', lc($request->{args}{topic} // '');
if (!@words) { print STDERR "which topic?\n"; exit 2 }

my $folder = $ENV{RUNBOOKS} // '';
opendir(my $dir, $folder) or do { print STDERR "the folder $folder cannot be read: $!\n"; exit 75 };
my ($best, $score, $text) = ('', 0, '');
for my $name (sort grep { /^[A-Za-z0-9_.-]+\.md$/ } readdir $dir) {
    open(my $page, '<:encoding(UTF-8)', "$folder/$name") or next;
    my $all = do { local $/; <$page> };
    my ($found, $n) = (1, 0);
    for my $word (@words) {
        my $times = () = lc("$name $all") =~ /\Q$word\E/g;
        $found &&= $times;
        $n += $times;
    }
    ($best, $score, $text) = ($name, $n, $all) if $found && $n > $score;
}
if (!$best) {
    say_line(type => 'result', text => 'No page mentions all of: ' . join(', ', @words) . '.');
    exit 0;
}
say_line(type => 'file', name => $best, content => $text);
my ($beginning) = $text =~ /\A((?:.*\n?){1,12})/;
say_line(type => 'result', text => $beginning . "\n*All of it is in the attached " . $best . ".*");
