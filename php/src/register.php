<?php

/** Runs with Composer's vendor/autoload.php: makes the project's class roots known to the extension. */

declare(strict_types=1);

Tortoise\Composer\Roots::register(Composer\InstalledVersions::getRootPackage()['install_path']);
