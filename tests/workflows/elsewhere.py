"""The steps of the workflows that test_delivery.py does not run, by the reason."""

# Only GitHub can perform these: they use a token of the job, or GitHub's API.
ONLY_ON_GITHUB = {
    "retrain/train: Log in to the registry",
    "retrain/propose: Let Git use the job's token",
    "retrain/propose: Open a pull request, or update the open one",
    "user's retrain/propose: Let Git use the job's token",
    "user's retrain/propose: Open a pull request, or update the open one",
}

# They change the machine: they start Minikube, or need the credentials of a registry. The tests in
# tests/cluster run searches on a cluster, and build and push the images.
ON_A_MACHINE_OF_ITS_OWN = {
    "ci/cluster: Start Minikube with Katib",
    "ci/cluster: Show pods and events",
    "retrain/train: Start Minikube with Katib",
    "retrain/train: Build and push the images",
    "retrain/train: Let pods pull the images",
    "setup: Install the programs of the tests",
}

# They need a cluster: tests/cluster/test_workflows.py runs them.
ON_A_CLUSTER = {
    "retrain/train: Prepare the cluster",
}

# `make test` would run itself; the test of the targets reads their commands with `make -n`.
SUITES = {
    "ci/check: Check": "make check",
    "ci/training: Test": "make test-training",
    "ci/server: Test": "make test-server",
    "ci/docs: Test": "make test-docs",
    "ci/coverage: Test with coverage": "make coverage",
    "ci/demo: Run the demo": "make demo",
    "ci/demo: Run the demo with a store in S3": "make demo-cloud",
    "ci/cluster: Test": "make test-cluster",
}

# They would install housectl again; a test checks their arguments.
INSTALLATIONS = {
    "deploy/deploy: Install housectl",
    "user's check/check: Install housectl",
    "user's deploy/deploy: Install housectl",
    "user's retrain/train: Install housectl",
}

ELSEWHERE = {
    *ONLY_ON_GITHUB,
    *ON_A_MACHINE_OF_ITS_OWN,
    *ON_A_CLUSTER,
    *SUITES,
    *INSTALLATIONS,
}
