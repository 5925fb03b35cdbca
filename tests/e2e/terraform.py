"""A real Terraform, with its state and its lock in an S3 of ours, and without a network."""

import os
import shutil

import pytest

from .s3 import S3
from .world import PATH, REGION, World

APPLY = ("terraform", "apply", "-input=false", "-auto-approve")

_MAIN = """
terraform {{
  backend "s3" {{
    bucket                     = "{bucket}"
    key                        = "terraform.tfstate"
    region                     = "{region}"
    use_lockfile               = true
    use_path_style             = true
    skip_metadata_api_check    = true
    skip_requesting_account_id = true
  }}
}}
resource "terraform_data" "it" {{
  provisioner "local-exec" {{
    command = "{command}"
  }}
}}
"""
_ENVIRON = {
    "CHECKPOINT_DISABLE": "1",
    "TF_CLI_CONFIG_FILE": os.devnull,
    "TF_CLI_ARGS": "-no-color",
    "TF_IN_AUTOMATION": "1",
}


def initialise(world: World, s3: S3, *, role: str) -> None:
    """Have Terraform initialised in the home of `world`, or skip the test where there is none."""
    if shutil.which("terraform", path=PATH) is None:
        pytest.skip("terraform is not installed")
    world.environ.update(_ENVIRON, AWS_ENDPOINT_URL_S3=s3.url)
    write_main(world, s3, command="true")
    done = world.run(role, "--", "terraform", "init", "-input=false")
    assert done.returncode == 0, done.stderr


def write_main(world: World, s3: S3, *, command: str) -> None:
    """Write a configuration whose one resource runs `command`, of the shell, when it is made."""
    text = _MAIN.format(bucket=s3.bucket, region=REGION, command=command)
    (world.home / "main.tf").write_text(text)
