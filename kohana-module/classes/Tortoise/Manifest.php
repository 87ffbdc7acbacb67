<?php defined('SYSPATH') OR die('No direct script access.');

class Tortoise_Manifest extends Kohana_Tortoise_Manifest {}
