// A step of a Jenkins shared library: agstest 'staging', [rate: '200/s'] checks and loads one environment. Copy to vars/agstest.groovy of your library.
// Plug-ins: Pipeline (workflow-aggregator), Credentials Binding, JUnit, HTML Publisher, Copy Artifact.
// Each environment has the credential (secret text) ags-NAME-operator-secret and a file environments/NAME.yaml.

/** Puts a released agstest into bin/, if its bytes are those of the checksum. It runs without any secret. */
def fetch(Map release) {
  withEnv(["ADDRESS=${release.address}", "SHA256=${release.sha256}"]) {
    sh '''set -eu
mkdir -p bin
curl --fail --silent --show-error --location --proto '=https' --retry 3 --output bin/agstest "$ADDRESS/agstest-linux-amd64"
echo "$SHA256  bin/agstest" | sha256sum -c
chmod 0755 bin/agstest'''
  }
}

/** The gate in one environment. host is given back with --yes, since services off this machine are protected. */
def call(String environment, Map options = [:]) {
  withCredentials([string(credentialsId: "ags-${environment}-operator-secret", variable: 'AGS_OPERATOR_SECRET')]) {
    withEnv(["WHERE=${environment}", "HOST=${options.host ?: ''}", "RATE=${options.rate ?: '200/s'}", "DURATION=${options.duration ?: '60s'}"]) {
      sh '''bin/agstest gate --env "environments/$WHERE.yaml" --yes "$HOST" --workload mixed --mix signon=1,refresh=9 --rate "$RATE" --duration "$DURATION" --limit 'refresh.p99<300ms' --limit 'errors<0.1%' --out "out/$BUILD_NUMBER-$WHERE"'''
    }
  }
}

/**
 * One comment on the merge request that is built, updated in place: comment kind: 'github', project: 'team/name', credentials: 'comment-token'. kind is github or
 * gitlab; project is team/name, in GitLab its number or team%2Fname; api is the address of the API where the host is your own. credentials (secret text) is a token of a
 * user that may comment, and no secret of a service. Builds of branches, and of merge requests of forks, write none.
 */
def comment(Map host) {
  if (!env.CHANGE_ID || env.CHANGE_FORK) { return }
  String api = host.api ?: (host.kind == 'gitlab' ? 'https://gitlab.com/api/v4' : 'https://api.github.com')
  withCredentials([string(credentialsId: host.credentials, variable: 'COMMENT_TOKEN')]) {
    withEnv(["KIND=${host.kind}", "API=${api}", "PROJECT=${host.project}"]) {
      sh '''set +x -eu
marker='<!-- agstest -->'
{ echo "$marker"; cat out/*/summary.md || echo "agstest left no summary: see the log."; } > all.md
# Of many summaries what is shown, without what is folded.
if [ "$(wc -c < all.md)" -gt 60000 ]; then awk '/^<details>/ {folded = 1} !folded {print} /^<.details>/ {folded = 0}' all.md > body.md; else mv all.md body.md; fi
jq -n --rawfile body body.md '{body: $body}' > body.json
case "$KIND" in
github) header='Authorization: Bearer'; comments="$API/repos/$PROJECT/issues/$CHANGE_ID/comments"; one="$API/repos/$PROJECT/issues/comments"; update=PATCH ;;
gitlab) header='PRIVATE-TOKEN:'; comments="$API/projects/$PROJECT/merge_requests/$CHANGE_ID/notes"; one="$comments"; update=PUT ;;
*) echo "kind is github or gitlab, not $KIND"; exit 2 ;;
esac
call() { echo 'header = "'"$header $COMMENT_TOKEN"'"' | curl --fail --silent --show-error --config - --header 'Content-Type: application/json' "$@"; }
me=$(call "$API/user" | jq .id)
id=$(call "$comments?per_page=100" | jq -r --arg marker "$marker" --argjson me "$me" 'map(select((.user.id // .author.id) == $me and (.body | startswith($marker))))[0].id // empty')
if [ -n "$id" ]; then call --request "$update" --data @body.json "$one/$id" > /dev/null; else call --data @body.json "$comments" > /dev/null; fi'''
    }
  }
}

/** The history of all builds as a site, and the results of this one. */
def publish() {
  junit testResults: 'out/*/junit.xml', allowEmptyResults: false
  copyArtifacts projectName: env.JOB_NAME, selector: lastCompleted(), filter: 'history/**', optional: true
  sh '''set -eu
mkdir -p history && cp -r out/. history/
bin/agstest history prune --dir history --keep 200
bin/agstest site history --to public'''
  archiveArtifacts artifacts: 'history/**', allowEmptyArchive: false
  publishHTML target: [reportDir: 'public', reportFiles: 'index.html', reportName: 'agstest', keepAll: true, alwaysLinkToLastBuild: true, allowMissing: false]
}
