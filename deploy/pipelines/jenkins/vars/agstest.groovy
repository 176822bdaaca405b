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
